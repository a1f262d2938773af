/**
 * Brings the digest table to what the base blob holds, between verification and seal, without reading what did not change:
 *
 *     digest of a chunk = digest at the last point - what was replaced + what was written
 *
 * What was written is known from the checksums of the transfer (`written-sums.ts`), else it is read; what was replaced is read from the
 * last point. All of it is computed from what does not change any more (the last point, its table, the base blob that this run holds
 * open), so a second attempt finds the same, and entries that an interrupted run left behind are replaced, never believed.
 */
import type { DigestBlob } from '../azure/digest-blob.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import type { TransferJob } from '../domain/transfer-job.ts'
import { digestBlobOf, raiseOrCreate } from './digest-blobs.ts'
import { DigestStep, type DigestOptions, type DigestReport } from './digest-step.ts'
import { findDigestedPoint } from './digested-point.ts'
import type { Engine } from './engine.ts'

/** Safe to run twice. @throws BackupError FencedOut where a later run has taken over. */
export async function updateDigests(engine: Engine, job: TransferJob, options: DigestOptions): Promise<DigestReport> {
  const table = digestBlobOf(engine, job)
  try {
    return await bringForward(engine, job, table, options)
  } catch (error) {
    // Somebody deleted the table or the last point meanwhile: without them everything is read.
    if (!isFailure(error, 'PointNotFound', 'TargetNotFound', 'DiffRefused')) throw error
    return bringForward(engine, job, table, options)
  }
}

async function bringForward(engine: Engine, job: TransferJob, table: DigestBlob, options: DigestOptions): Promise<DigestReport> {
  const { signal } = options
  if (!(await raiseOrCreate(table, job.epoch, 'digest', signal))) throw tooLate(table)
  const last = await findDigestedPoint(engine, job, table, signal)
  const step = new DigestStep(engine, job, table, last, options)
  await step.run()
  return { ...step.report(), isRebuilt: last === undefined && job.fromSnapshotId !== undefined }
}

function tooLate(table: DigestBlob): BackupError {
  return new BackupError({
    type: 'FencedOut',
    message: `digest table ${table.name} was closed by another attempt of this run; this one stops`,
    facts: { blobName: table.name },
  })
}
