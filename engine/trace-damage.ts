/**
 * Which points hold the damage that was found in one: those that share pages of the damaged chunks with it, as the base blob's own diff
 * between their snapshots says, and whose bytes differ from their digests there. Where the digests are gone, or the source snapshot has
 * shown that they are of the wrong bytes, sharing alone counts. Reads, changes nothing.
 */
import { readManifest, listManifests } from '../azure/manifests.ts'
import { clip, type ByteRange } from '../domain/byte-range.ts'
import { isFailure } from '../domain/failures.ts'
import { isTransferred, type Manifest } from '../domain/manifest.ts'
import { isSameStriping } from '../domain/stripes.ts'
import { sweep } from '../domain/sweep.ts'
import type { BlobSnapshotRef } from '../domain/transfer-job.ts'
import { checkChunks } from './check-chunks.ts'
import { chunkPieces } from './chunk-works.ts'
import { alignToChunks, contentCopyOf, readerOf, type VerifyJob } from './verify-job.ts'
import type { Engine } from './engine.ts'
import { pointBlobOf, pointContentOf, type PointContent } from './restore-job.ts'

export interface DamagedPart {
  readonly pointId: string
  readonly ranges: readonly ByteRange[]
}

export interface Damage {
  readonly job: VerifyJob
  readonly differing: readonly ByteRange[]
  /** The source snapshot told of it, and not the digests. */
  readonly isBySource?: boolean
}

/** The point itself comes first. */
export async function traceDamage(engine: Engine, { job, differing, isBySource = false }: Damage, signal?: AbortSignal): Promise<DamagedPart[]> {
  const parts: DamagedPart[] = [{ pointId: job.pointId, ranges: differing }]
  for (const other of await otherPoints(engine, job, signal)) {
    const shared = await sharedChunks(engine, job, other, differing, signal)
    const ranges = isBySource || other.digests === undefined ? shared : await damagedOf(engine, job.targetUrl, other, shared, signal)
    if (ranges.length > 0) parts.push({ pointId: other.id, ranges })
  }
  return parts
}

/** Points of the same base blob. What cannot be read is no restorable point. */
async function otherPoints(engine: Engine, { targetUrl, chain, pointId, content }: VerifyJob, signal: AbortSignal | undefined): Promise<Manifest[]> {
  const points: Manifest[] = []
  for await (const { blobName, pointId: id } of listManifests(engine.azure, targetUrl, { chain }, signal)) {
    if (id === pointId) continue
    try {
      const manifest = await readManifest(engine.azure, targetUrl, blobName, signal)
      if (isTransferred(manifest) && isSameChain(content, pointContentOf(targetUrl, manifest))) points.push(manifest)
    } catch (error) {
      if (!isFailure(error, 'PointDamaged', 'FormatNotSupported', 'PointNotFound')) throw error
    }
  }
  return points
}

function isSameChain(one: PointContent, other: PointContent): boolean {
  return one.blobs[0]?.name === other.blobs[0]?.name && isSameStriping(one.striping, other.striping)
}

/** The damaged chunks of which the other point has at least one page unchanged. */
async function sharedChunks(
  engine: Engine,
  job: VerifyJob,
  other: Manifest,
  differing: readonly ByteRange[],
  signal: AbortSignal | undefined,
): Promise<ByteRange[]> {
  const content = pointContentOf(job.targetUrl, other)
  const isOtherNewer = (job.content.blobs[0]?.snapshot ?? '') < (content.blobs[0]?.snapshot ?? '')
  const [older, newer] = isOtherNewer ? [job.content, content] : [content, job.content]
  const shared: ByteRange[] = []
  for (const range of differing) {
    const window = clip(range, { startBytes: 0, endBytes: Math.min(job.content.blobBytes, content.blobBytes) })
    if (window === undefined) continue
    const lists = {
      held: pointBlobOf(engine, job.content).allocated(window, signal),
      changed: pointBlobOf(engine, newer).changedSince(snapshotsOf(older), window, signal),
    }
    try {
      for await (const { startBytes, endBytes, at } of sweep(lists)) {
        if (at.held === undefined || at.changed !== undefined) continue
        for (const piece of chunkPieces({ startBytes, endBytes })) shared.push(alignToChunks(piece, content.blobBytes))
      }
    } catch (error) {
      // A snapshot that is gone, or of a blob that was made anew since: no page is shared.
      if (!isFailure(error, 'DiffRefused', 'PointNotFound')) throw error
    }
  }
  return unique(shared)
}

async function damagedOf(
  engine: Engine,
  targetUrl: string,
  other: Manifest,
  shared: readonly ByteRange[],
  signal: AbortSignal | undefined,
): Promise<readonly ByteRange[]> {
  const content = pointContentOf(targetUrl, other)
  const reader = readerOf(engine, targetUrl, other.digests!)
  const damaged: ByteRange[] = []
  try {
    for (const window of shared) {
      const { differing } = await checkChunks(reader, content.blobBytes, contentCopyOf(engine, content), { window, choice: { kind: 'all' }, signal })
      damaged.push(...differing)
    }
    return damaged
  } catch (error) {
    if (!isFailure(error, 'PointNotFound')) throw error
    return (await isHeld(engine, content, signal)) ? shared : []
  }
}

/** Whether the point itself is still there, and not only its digests are gone. */
async function isHeld(engine: Engine, content: PointContent, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await pointBlobOf(engine, content).sizesOfSnapshots(signal)
    return true
  } catch (error) {
    if (!isFailure(error, 'PointNotFound')) throw error
    return false
  }
}

function snapshotsOf({ blobs }: PointContent): BlobSnapshotRef[] {
  return blobs.map(({ snapshot = '', sizeBytes }) => ({ snapshot, sizeBytes }))
}

function unique(ranges: readonly ByteRange[]): ByteRange[] {
  return [...new Map(ranges.map((range) => [range.startBytes, range])).values()]
}
