/** The middle of a restore by upload: transfer, compare, and write again what differs, a bounded number of rounds; then close the upload. */
import { ApplicationFailure } from '@temporalio/workflow'
import { describeRanges, type ByteRange } from '../domain/byte-range.ts'
import { cutIntoExtents } from '../domain/extents.ts'
import type { FailureType } from '../domain/failures.ts'
import { mapConcurrent } from '../domain/map-concurrent.ts'
import { MAX_RESTORE_ROUNDS, MAY_BE_DAMAGED, originLabel } from '../domain/restore-request.ts'
import type { PlannedRestore } from '../activities/restore-activities.ts'
import { finishing, type DataSteps } from './activity-options.ts'
import type { Mismatches } from './describe-cause.ts'
import type { RunProgress } from './run-progress.ts'

const EXTENTS_IN_FLIGHT = 2

/** @returns undefined where the upload could not be read, so that the closed disk is to be compared. */
export async function uploadUntilEqual(data: DataSteps, plan: PlannedRestore, progress: RunProgress): Promise<{ comparedBytes: number } | undefined> {
  const { job, disk } = plan
  progress.enter('transfer')
  const totalBytes = await data.surveyPoint.executeWithOptions({ summary: 'count what is restored' }, [job])
  const extents = cutIntoExtents(job.blobBytes)
  progress.update({ totalBytes, extentCount: extents.length })
  const movedMore = (bytes: number): void => progress.update({ movedBytes: progress.now.movedBytes + bytes })
  await mapConcurrent(extents, EXTENTS_IN_FLIGHT, async ({ index, count, startBytes, endBytes }) => {
    const summary = `restore extent ${index + 1} of ${count}`
    const done = await data.restoreExtent.executeWithOptions({ summary }, [{ job, extentIndex: index, window: { startBytes, endBytes } }])
    movedMore(done.movedBytes)
    progress.update({ extentsDone: progress.now.extentsDone + 1 })
  })

  for (let round = 1; ; round++) {
    progress.enter('verify')
    const { mismatches, comparedBytes, isReadable } = await data.verifyUpload.executeWithOptions({ summary: 'compare the disk' }, [job])
    if (mismatches.length === 0 || round === MAX_RESTORE_ROUNDS) {
      refuseMismatches(plan, mismatches)
      await finishing.closeRestoreUpload.executeWithOptions({ summary: 'close the upload' }, [disk])
      return isReadable ? { comparedBytes } : undefined
    }
    progress.enter('transfer', { round: round + 1 })
    const window = { startBytes: 0, endBytes: job.blobBytes }
    const mended = await data.restoreExtent.executeWithOptions({ summary: `write ${mismatches.length} ranges again` }, [
      { job, extentIndex: 0, window, repair: mismatches },
    ])
    movedMore(mended.movedBytes)
  }
}

export function refuseMismatches({ disk, origin }: PlannedRestore, mismatches: readonly ByteRange[]): void {
  if (mismatches.length === 0) return
  throw ApplicationFailure.nonRetryable(
    `disk ${disk.id} differs from ${originLabel(origin)} at ${describeRanges(mismatches)}; it was deleted again. ${MAY_BE_DAMAGED}`,
    'VerificationFailed' satisfies FailureType,
    { mismatches } satisfies Mismatches,
  )
}
