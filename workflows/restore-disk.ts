/**
 * Restores a recovery point to a new managed disk by direct upload:
 *
 *     plan -> create -> transfer -> verify -> release
 *
 * Never overwrites: the disk must not exist. A restore that fails or is cancelled takes its half-made disk away again; until release
 * the disk cannot be attached, so nobody can use one that is not whole.
 */
import { ApplicationFailure, CancellationScope, isCancellation, log, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import { describeRanges } from '../domain/byte-range.ts'
import { cutIntoExtents } from '../domain/extents.ts'
import type { FailureType } from '../domain/failures.ts'
import { control, dataActivities } from './activity-options.ts'
import { describeCause } from './describe-cause.ts'
import { mapConcurrent } from './map-concurrent.ts'
import { RESTORE_PHASES, type RestoreDiskInput, type RestoreDiskResult } from './messages.ts'
import { trackProgress } from './run-progress.ts'
import { recoveryPointAttribute } from './search-attributes.ts'

const EXTENTS_IN_FLIGHT = 2

export async function restoreDisk(input: RestoreDiskInput): Promise<RestoreDiskResult> {
  const { startTime, firstExecutionRunId: requestId } = workflowInfo()
  const progress = trackProgress(RESTORE_PHASES)
  progress.enter('plan')
  const { job, point, disk, warnings } = await control.planRestore.executeWithOptions({ summary: 'find the point' }, [{ ...input, requestId }])
  upsertSearchAttributes([{ key: recoveryPointAttribute, value: point.id }])

  try {
    progress.enter('create', { pointId: point.id })
    await control.createRestoreDisk.executeWithOptions({ summary: `create ${disk.id}` }, [disk])

    progress.enter('transfer')
    const data = dataActivities()
    const totalBytes = await data.surveyPoint.executeWithOptions({ summary: 'count what the point holds' }, [job])
    const extents = cutIntoExtents(job.blobBytes)
    progress.update({ totalBytes, extentCount: extents.length })
    await mapConcurrent(extents, EXTENTS_IN_FLIGHT, async ({ index, count, startBytes, endBytes }) => {
      const summary = `restore extent ${index + 1} of ${count}`
      const done = await data.restoreExtent.executeWithOptions({ summary }, [{ job, extentIndex: index, window: { startBytes, endBytes } }])
      progress.update({ movedBytes: progress.now.movedBytes + done.movedBytes, extentsDone: progress.now.extentsDone + 1 })
    })

    progress.enter('verify')
    const report = await data.verifyRestore.executeWithOptions({ summary: 'compare disk and point' }, [job])
    if (report.mismatches.length > 0) {
      const where = describeRanges(report.mismatches)
      throw ApplicationFailure.nonRetryable(
        `disk ${disk.id} differs from point ${point.id} at ${where}; it was deleted again`,
        'VerificationFailed' satisfies FailureType,
      )
    }

    progress.enter('release')
    await control.handOverDisk.executeWithOptions({ summary: 'close the upload' }, [disk])
    progress.enter('done')
    return {
      point,
      diskId: disk.id,
      sizeBytes: disk.sizeBytes,
      movedBytes: progress.now.movedBytes,
      comparedBytes: report.comparedBytes,
      seconds: (Date.now() - startTime.getTime()) / 1000,
      warnings: report.isReadable ? warnings : [...warnings, 'the upload could not be read back, so the disk was not compared with its point'],
    }
  } catch (error) {
    await CancellationScope.nonCancellable(async () => {
      progress.enter('failed')
      log.warn('the half-made disk is taken away', { diskId: disk.id, cancelled: isCancellation(error) })
      // What went wrong first is what the run failed of.
      await control.abandonDisk.executeWithOptions({ summary: 'take the half-made disk away' }, [disk]).catch((cause: unknown) => {
        log.warn('the half-made disk is still there', { diskId: disk.id, why: describeCause(cause) })
      })
    })
    throw error
  }
}
