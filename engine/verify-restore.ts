/**
 * Compares a restored disk with its point while the write access is still open: page lists and a sample of chunks, read on both sides.
 *
 * Where the access may only write, nothing can be compared and the report says so; it never claims more than was read.
 */
import { UploadBlob } from '../azure/upload-blob.ts'
import { coarsen, type ByteRange } from '../domain/byte-range.ts'
import { isFailure } from '../domain/failures.ts'
import { createSampler, seededRandom } from '../domain/sampler.ts'
import { sweep } from '../domain/sweep.ts'
import { compareBytes } from './compare-bytes.ts'
import type { Engine } from './engine.ts'
import { pointBlobOf, type RestoreJob } from './restore-job.ts'
import { restoreFooterOf } from './restore-route.ts'

export interface RestoreReport {
  readonly isReadable: boolean
  readonly comparedBytes: number
  /** A cover of what differs, small enough for workflow history. */
  readonly mismatches: readonly ByteRange[]
}

const MAX_REPORTED_RANGES = 256
const SAMPLE_CHUNKS = 64
const SAMPLE_BYTES = 64 * 1024

/** How an upload that may only be written answers; a right that is missing on the point's side is another matter. */
const UNREADABLE = ['ExportAccessLost', 'AzureRefused'] as const

export interface VerifyRestoreOptions {
  readonly onProgress?: (checkedBytes: number) => void
  readonly signal?: AbortSignal | undefined
}

export async function verifyRestore(engine: Engine, job: RestoreJob, options: VerifyRestoreOptions = {}): Promise<RestoreReport> {
  const uploadUrl = await engine.exports.write(job.toDiskId, options.signal)
  try {
    return await compareWithPoint(engine, job, uploadUrl, options)
  } catch (error) {
    if (!isFailure(error, ...UNREADABLE)) throw error
  }
  try {
    // The access may only have died.
    return await compareWithPoint(engine, job, await engine.exports.renew(job.toDiskId, uploadUrl, options.signal), options)
  } catch (error) {
    if (!isFailure(error, ...UNREADABLE, 'SnapshotAccessBusy')) throw error
    return { isReadable: false, comparedBytes: 0, mismatches: [] }
  }
}

async function compareWithPoint(engine: Engine, job: RestoreJob, uploadUrl: string, options: VerifyRestoreOptions): Promise<RestoreReport> {
  const { signal } = options
  const point = pointBlobOf(engine.azure, job)
  const upload = new UploadBlob(() => uploadUrl)
  const window = { startBytes: 0, endBytes: job.blobBytes }
  const sampler = createSampler(SAMPLE_CHUNKS, SAMPLE_BYTES, seededRandom(job.blobBytes % 0xffffffff))
  const suspects: ByteRange[] = []
  const lists = {
    point: engine.pageLists.allocated(point.pageListSource(job.blobSnapshot), window, signal),
    disk: engine.pageLists.allocated({ url: uploadUrl, auth: 'sas' }, window, signal),
  }
  for await (const { startBytes, endBytes, at } of sweep(lists)) {
    if (at.point !== undefined) sampler.offer({ startBytes, endBytes })
    if ((at.point === undefined) !== (at.disk === undefined)) suspects.push({ startBytes, endBytes })
    if (suspects.length > 2 * MAX_REPORTED_RANGES) suspects.splice(0, suspects.length, ...coarsen(suspects, MAX_REPORTED_RANGES))
    options.onProgress?.(endBytes)
  }
  const ranges = [...suspects, ...sampler.chunks(), restoreFooterOf(job)]
  const comparison = await compareBytes(
    coarsen(ranges, ranges.length),
    (range, readSignal) => point.read(range, job.blobSnapshot, readSignal),
    (range, readSignal) => upload.read(range, readSignal),
    { signal, ...(options.onProgress && { onProgress: options.onProgress }) },
  )
  return { isReadable: true, comparedBytes: comparison.comparedBytes, mismatches: coarsen(comparison.differing, MAX_REPORTED_RANGES) }
}
