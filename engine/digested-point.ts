/** The last point of a chain as the digest step stands on it: its blob snapshots, and the table that was snapshotted with them. */
import { BaseBlob } from '../azure/base-blob.ts'
import type { DigestBlob } from '../azure/digest-blob.ts'
import { findManifest } from '../azure/manifests.ts'
import { snapshotsOfPoint } from '../domain/base-blob-state.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { CHUNK_BYTES } from '../domain/digest-table.ts'
import { isFailure } from '../domain/failures.ts'
import { isCopied } from '../domain/manifest.ts'
import { parseBaseBlobName } from '../domain/names.ts'
import type { BlobSnapshotRef, TransferJob } from '../domain/transfer-job.ts'
import type { Engine } from './engine.ts'
import { refsTo, requireProperties } from './open-base-blob.ts'
import { baseBlobOf } from './striped-blob.ts'

export interface DigestedPoint {
  /** Its blob snapshots, one a stripe. */
  readonly snapshots: readonly BlobSnapshotRef[]
  readonly blobBytes: number
  /** `x-ms-snapshot` of its table. */
  readonly table: string
}

/** The last point and its table, where both are there and tell what changed since. */
export async function findDigestedPoint(
  engine: Engine,
  job: Pick<TransferJob, 'targetUrl' | 'baseBlobName' | 'striping' | 'blobBytes'>,
  table: DigestBlob,
  signal: AbortSignal | undefined,
): Promise<DigestedPoint | undefined> {
  const base = baseBlobOf(engine, job)
  const { state } = await requireProperties(new BaseBlob(engine.azure, job.targetUrl, job.baseBlobName), signal)
  const chain = parseBaseBlobName(job.baseBlobName)
  if (state?.lastPoint === undefined || chain === undefined) return undefined
  const { pointId } = state.lastPoint
  const taken = snapshotsOfPoint(state.lastPoint)
  try {
    const manifest = await findManifest(engine.azure, job.targetUrl, chain, pointId, signal)
    if (manifest === undefined || isCopied(manifest)) return undefined
    if (manifest.digests?.name !== table.name || manifest.baseBlob.snapshot !== taken[0]) return undefined
    const { snapshot } = manifest.digests
    await table.snapshots.sizeOfSnapshot(snapshot, signal)
    const snapshots = await refsTo(base.stripes, taken, signal)
    const { count, unitBytes } = job.striping
    const ofAllStripes = { startBytes: 0, endBytes: Math.min(count * unitBytes, job.blobBytes) }
    await requireDiff(base.changedSince(snapshots, ofAllStripes, signal))
    await requireDiff(engine.pageLists.blobDiff(table.pageListSource(), snapshot, { startBytes: 0, endBytes: CHUNK_BYTES }, signal))
    return { snapshots, blobBytes: totalOf(snapshots), table: snapshot }
  } catch (error) {
    if (isFailure(error, 'PointDamaged', 'PointNotFound', 'FormatNotSupported', 'DiffRefused')) return undefined
    throw error
  }
}

/** A blob that was made anew since keeps no diff to its older snapshots. */
async function requireDiff(changes: AsyncIterable<ByteRange>): Promise<void> {
  for await (const _change of changes) return
}

function totalOf(snapshots: readonly BlobSnapshotRef[]): number {
  return snapshots.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}
