/**
 * Restores a recovery point, or a clean base blob, to a new managed disk or snapshot:
 *
 *     plan -> create -> transfer <-> verify -> release
 *
 * Never overwrites: what it makes must not exist. What fails or is cancelled is taken away again, and a disk is handed over only
 * after it was compared; until then its tag says so. A cancel that comes when it is handed over comes too late. A disk that differs from
 * the digests of its point raises a doubt about the point, which is settled before the restore fails.
 */
import { CancellationScope, isCancellation, log, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import type { PlannedRestore } from '../activities/restore-activities.ts'
import { control, dataActivities, finishing, FINISHING_PATIENCE, waiting, type DataSteps } from './activity-options.ts'
import { blamePoint } from './blame-point.ts'
import { describeCause, mismatchesOf } from './describe-cause.ts'
import { RESTORE_PHASES, type RestoreDiskInput, type RestoreDiskResult } from './messages.ts'
import { endingAsCancelled, refuseWhenCancelled } from './own-cancel.ts'
import { phaseSeconds, trackProgress } from './run-progress.ts'
import { recoveryPointAttribute } from './search-attributes.ts'
import { refuseMismatches, uploadUntilEqual } from './upload-until-equal.ts'

export function restoreDisk(input: RestoreDiskInput): Promise<RestoreDiskResult> {
  return endingAsCancelled(() => restoreTo(input))
}

async function restoreTo(input: RestoreDiskInput): Promise<RestoreDiskResult> {
  const { startTime, firstExecutionRunId } = workflowInfo()
  const progress = trackProgress(RESTORE_PHASES)
  const data = dataActivities(input.isThrowAway === true ? 'verify' : 'restore')
  progress.enter('plan')
  const request = { ...input, requestId: input.requestId ?? firstExecutionRunId }
  const plan = await control.planRestore.executeWithOptions({ summary: 'find what is restored' }, [request])
  const { origin, disk, snapshot, warnings } = plan
  const pointId = origin.point?.id
  if (pointId !== undefined) upsertSearchAttributes([{ key: recoveryPointAttribute, value: pointId }])

  try {
    progress.enter('create', { warnings, ...(pointId !== undefined && { pointId }) })
    await waiting.makeRestoreDisk.executeWithOptions({ summary: `make ${disk.id}` }, [plan])

    const uploaded = plan.filling.kind === 'upload' ? await uploadUntilEqual(data, plan, progress) : undefined
    const comparedBytes = uploaded?.comparedBytes ?? (await compareClosed(data, plan, () => progress.enter('verify')))

    refuseWhenCancelled()
    progress.enter('release')
    const unset = await CancellationScope.nonCancellable(() => finishing.handOverDisk.executeWithOptions({ summary: 'hand the disk over' }, [plan]))
    if (snapshot !== undefined) {
      await waiting.takeRestoredSnapshot.executeWithOptions({ summary: `make ${snapshot.id}`, scheduleToCloseTimeout: FINISHING_PATIENCE }, [plan])
      await finishing.deleteRestoredDisk.executeWithOptions({ summary: 'delete the temporary disk' }, [disk])
    }
    const phases = phaseSeconds(progress.now)
    progress.enter('done')
    return {
      origin,
      ...(origin.point && { point: origin.point }),
      resourceId: snapshot?.id ?? disk.id,
      sizeBytes: disk.sizeBytes,
      movedBytes: progress.now.movedBytes,
      comparedBytes,
      seconds: (Date.now() - startTime.getTime()) / 1000,
      phaseSeconds: phases,
      warnings: [...warnings, ...(unset === undefined ? [] : [unset])],
    }
  } catch (error) {
    throw await CancellationScope.nonCancellable(async () => {
      progress.enter('failed')
      log.warn('what was half-made is taken away', { diskId: disk.id, cancelled: isCancellation(error) })
      // What went wrong first is what the run failed of.
      await finishing.abandonRestore.executeWithOptions({ summary: 'take away what was half-made' }, [plan]).catch((cause: unknown) => {
        log.warn('what was half-made is still there', { diskId: disk.id, why: describeCause(cause) })
      })
      return blamed(data, error, input.targetUrl, plan, startTime)
    })
  }
}

async function blamed(data: DataSteps, error: unknown, targetUrl: string, { origin, job }: PlannedRestore, startTime: Date): Promise<unknown> {
  const found = mismatchesOf(error)
  if (found === undefined || origin.point === undefined || job.digests === undefined) return error
  try {
    const doubt = { targetUrl, diskId: origin.diskId, pointId: origin.point.id, ranges: found.mismatches, at: startTime.toISOString() }
    return (await blamePoint(data, error, doubt)) ?? error
  } catch (cause) {
    log.warn('whether the point itself is damaged could not be found out', { why: describeCause(cause) })
    return error
  }
}

/** @returns the number of bytes that were read on both sides. */
async function compareClosed(data: DataSteps, plan: PlannedRestore, begin: () => void): Promise<number> {
  if (plan.isUncompared === true) return 0
  begin()
  const { mismatches, comparedBytes } = await data.verifyDisk.executeWithOptions({ summary: 'compare the closed disk' }, [plan.job])
  refuseMismatches(plan, mismatches)
  return comparedBytes
}
