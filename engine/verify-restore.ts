/**
 * Compares a restored disk with what it was made from: by its write access while the upload is open, where that can be read,
 * so that what differs can still be mended; else by a grant to read as soon as the disk is closed.
 *
 * Changes nothing and never claims more than was read. What differs from a base blob that a backup has opened meanwhile is no damage,
 * and is told as what it is.
 */
import type { ByteRange } from '../domain/byte-range.ts'
import { isFailure } from '../domain/failures.ts'
import { compareCopy } from './compare-copy.ts'
import type { CompareOptions, CopyReport } from './compare-with-point.ts'
import { openDiskCopy } from './disk-copy.ts'
import type { Engine } from './engine.ts'
import { withFooterOfPoint } from './footer-of-point.ts'
import type { RestoreJob } from './restore-job.ts'
import { requireUnchanged } from './restore-source.ts'

export interface RestoreReport {
  /** false: the write access lets nothing be read, so nothing was compared yet. */
  readonly isReadable: boolean
  readonly comparedBytes: number
  /** A cover of what differs, small enough for workflow history. */
  readonly mismatches: readonly ByteRange[]
}

/** How an upload that may only be written answers; a right that is missing on the point's side is another matter. */
const UNREADABLE = ['ExportAccessLost', 'AzureRefused', 'SnapshotAccessBusy'] as const

/** While the upload is open. @throws BackupError BaseBlobNotClean */
export async function verifyUpload(engine: Engine, job: RestoreJob, options: CompareOptions = {}): Promise<RestoreReport> {
  const report = await compareUpload(engine, job, options)
  if (report.mismatches.length > 0) await requireUnchanged(engine, job, options.signal)
  return report
}

async function compareUpload(engine: Engine, job: RestoreJob, options: CompareOptions): Promise<RestoreReport> {
  try {
    const copy = await openDiskCopy(engine, job.toDiskId, 'write', options.signal)
    return { isReadable: true, ...(await compareCopy(engine, job, copy, options)) }
  } catch (error) {
    if (!isFailure(error, ...UNREADABLE)) throw error
    return { isReadable: false, comparedBytes: 0, mismatches: [] }
  }
}

/**
 * When the disk is closed, or was filled by Azure. Its access is ended again: a disk with a SAS out cannot be attached.
 *
 * @throws BackupError BaseBlobNotClean
 */
export async function verifyDisk(engine: Engine, job: RestoreJob, options: CompareOptions = {}): Promise<CopyReport> {
  const disk = await openDiskCopy(engine, job.toDiskId, 'read', options.signal)
  const report = await compareCopy(engine, job, withFooterOfPoint(engine, job, disk), options)
  await engine.exports.revoke(job.toDiskId, options.signal)
  if (report.mismatches.length > 0) await requireUnchanged(engine, job, options.signal)
  return report
}
