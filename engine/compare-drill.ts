/**
 * Compares ALL bytes of a restored disk, read by its SAS, with the digests of its point; where the point has none, or they are gone,
 * with the bytes of the point itself. What is read can be kept as an image on the way, so that nothing is read twice.
 */
import { coarsen, type ByteRange } from '../domain/byte-range.ts'
import { isFailure } from '../domain/failures.ts'
import type { PointDigests } from '../domain/manifest.ts'
import { sweep } from '../domain/sweep.ts'
import { checkChunks, type ChunkCheckState } from './check-chunks.ts'
import { compareBytes } from './compare-bytes.ts'
import type { PointCopy } from './compare-with-point.ts'
import { openDiskCopy } from './disk-copy.ts'
import type { Engine } from './engine.ts'
import { withFooterOfPoint } from './footer-of-point.ts'
import { pointImageOf } from './point-image.ts'
import type { RestoreJob } from './restore-job.ts'
import type { SparseFile } from './sparse-file.ts'
import { readerOf } from './verify-job.ts'

export interface DrillComparison {
  readonly comparedBytes: number
  readonly comparedWith: 'digests' | 'point'
  /** A cover of what differs, small enough for workflow history. */
  readonly mismatches: readonly ByteRange[]
}

export interface CompareDrillOptions {
  /** Takes the bytes of the disk, as large as the disk and all holes. */
  readonly image?: SparseFile | undefined
  /** Not with an image: that needs every byte. */
  readonly resumeFrom?: ChunkCheckState | undefined
  readonly onProgress?: (state: ChunkCheckState) => void
  readonly signal?: AbortSignal | undefined
}

const MAX_REPORTED_RANGES = 256

/** Ends the access to the disk; that to a copied snapshot is left to the drill, which may try again. @throws BackupError ExportAccessLost | LocalDiskFull | … */
export async function compareDrill(
  engine: Engine,
  job: RestoreJob,
  digests: PointDigests | undefined,
  options: CompareDrillOptions,
): Promise<DrillComparison> {
  const disk = await openDiskCopy(engine, job.toDiskId, 'read', options.signal)
  const copy = withFooterOfPoint(engine, job, keepingImage(disk, options.image))
  const compared = (digests && (await withDigests(engine, job, digests, copy, options))) ?? (await withPoint(engine, job, copy, options))
  await engine.exports.revoke(job.toDiskId, options.signal)
  return compared
}

/** @returns undefined where the digest table is gone. */
async function withDigests(
  engine: Engine,
  job: RestoreJob,
  digests: PointDigests,
  copy: PointCopy,
  { resumeFrom, onProgress, signal }: CompareDrillOptions,
): Promise<DrillComparison | undefined> {
  try {
    const { comparedBytes, differing } = await checkChunks(readerOf(engine, job.targetUrl, digests), job.blobBytes, copy, {
      window: { startBytes: 0, endBytes: job.blobBytes },
      choice: { kind: 'all' },
      resumeFrom,
      ...(onProgress && { onProgress }),
      signal,
    })
    return { comparedBytes, comparedWith: 'digests', mismatches: differing }
  } catch (error) {
    // The point itself is still there, or says that it is not.
    if (!isFailure(error, 'PointNotFound')) throw error
    return undefined
  }
}

async function withPoint(engine: Engine, job: RestoreJob, copy: PointCopy, { onProgress, signal }: CompareDrillOptions): Promise<DrillComparison> {
  const point = pointImageOf(engine, job)
  const window = { startBytes: 0, endBytes: job.blobBytes }
  const lists = { point: point.allocated(window, signal), copy: copy.allocated(window, signal) }
  const { comparedBytes, differing } = await compareBytes(
    sweep(lists),
    (range, readSignal) => point.read(range, readSignal),
    (range, readSignal) => copy.read(range, readSignal),
    { signal, onProgress: (bytes) => onProgress?.({ nextOffsetBytes: 0, comparedBytes: bytes, comparedChunks: 0, differing: [] }) },
  )
  return { comparedBytes, comparedWith: 'point', mismatches: coarsen(differing, MAX_REPORTED_RANGES) }
}

function keepingImage(disk: PointCopy, image: SparseFile | undefined): PointCopy {
  if (image === undefined) return disk
  return {
    allocated: (window, signal) => disk.allocated(window, signal),
    async read(range, signal) {
      const data = await disk.read(range, signal)
      await image.write(range.startBytes, Buffer.from(data.buffer, data.byteOffset, data.byteLength))
      return data
    },
  }
}
