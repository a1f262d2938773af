/**
 * Compares a restored disk with its point while the write access is still open.
 *
 * Where the access may only write, nothing can be compared and the report says so; it never claims more than was read.
 */
import { UploadBlob } from '../azure/upload-blob.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { isFailure } from '../domain/failures.ts'
import { compareWithPoint, type CompareOptions, type PointCopy } from './compare-with-point.ts'
import type { Engine } from './engine.ts'
import type { RestoreJob } from './restore-job.ts'

export interface RestoreReport {
  readonly isReadable: boolean
  readonly comparedBytes: number
  /** A cover of what differs, small enough for workflow history. */
  readonly mismatches: readonly ByteRange[]
}

/** How an upload that may only be written answers; a right that is missing on the point's side is another matter. */
const UNREADABLE = ['ExportAccessLost', 'AzureRefused'] as const

export async function verifyRestore(engine: Engine, job: RestoreJob, options: CompareOptions = {}): Promise<RestoreReport> {
  const uploadUrl = await engine.exports.write(job.toDiskId, options.signal)
  const compare = async (url: string): Promise<RestoreReport> => ({
    isReadable: true,
    ...(await compareWithPoint(engine, job, uploadAt(engine, url), options)),
  })
  try {
    return await compare(uploadUrl)
  } catch (error) {
    if (!isFailure(error, ...UNREADABLE)) throw error
  }
  try {
    // The access may only have died.
    return await compare(await engine.exports.renew(job.toDiskId, uploadUrl, options.signal))
  } catch (error) {
    if (!isFailure(error, ...UNREADABLE, 'SnapshotAccessBusy')) throw error
    return { isReadable: false, comparedBytes: 0, mismatches: [] }
  }
}

function uploadAt(engine: Engine, uploadUrl: string): PointCopy {
  const upload = new UploadBlob(engine.azure, () => uploadUrl)
  return {
    allocated: (window, signal) => engine.pageLists.allocated({ url: uploadUrl, auth: 'sas' }, window, signal),
    read: (range, signal) => upload.read(range, signal),
  }
}
