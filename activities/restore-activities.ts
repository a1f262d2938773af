/** The steps of `restoreDisk` as activities. Each may run twice; the half-made disk is known by the tags of the restore. */
import { activityInfo, cancellationSignal } from '@temporalio/activity'
import { createUploadDisk } from '../azure/disks.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { recoveryPointOf, type RecoveryPoint } from '../domain/recovery-point.ts'
import type { Engine } from '../engine/engine.ts'
import { planRestore, type PlannedRestore, type RestoreRequest } from '../engine/plan-restore.ts'
import { abandon, handOver } from '../engine/release-restore.ts'
import type { RestoreJob } from '../engine/restore-job.ts'
import { allocatedBytesOf, restoreRoute } from '../engine/restore-route.ts'
import { transfer, type TransferState } from '../engine/transfer.ts'
import { verifyRestore, type RestoreReport } from '../engine/verify-restore.ts'
import { checkpointOf, readCheckpoint } from './checkpoint.ts'
import { withHeartbeat } from './heartbeat.ts'
import { asActivity } from './to-failure.ts'

export interface RestorePlan extends Omit<PlannedRestore, 'manifest'> {
  readonly point: RecoveryPoint
}

export interface RestoreExtentInput {
  readonly job: RestoreJob
  readonly extentIndex: number
  readonly window: ByteRange
}

export function createRestoreControl(engine: Engine) {
  return {
    /** Finds the point and refuses what would overwrite. Makes nothing. */
    planRestore: asActivity(async (input: RestoreRequest): Promise<RestorePlan> => {
      const { manifest, ...plan } = await planRestore(engine, input, cancellationSignal())
      return { ...plan, point: recoveryPointOf(manifest) }
    }),

    /** Makes the empty disk that waits for its upload; one made by an earlier attempt is used. */
    createRestoreDisk: asActivity((disk: PlannedRestore['disk']): Promise<void> => createUploadDisk(engine.azure, disk, cancellationSignal())),

    /** Closes the upload: from here on the disk can be attached. */
    handOverDisk: asActivity((disk: PlannedRestore['disk']): Promise<void> => handOver(engine, disk, cancellationSignal())),

    /** Takes the half-made disk away again. */
    abandonDisk: asActivity((disk: PlannedRestore['disk']): Promise<void> => abandon(engine, disk, cancellationSignal())),
  }
}

export function createRestoreData(engine: Engine) {
  return {
    /** Bytes that the point holds: what the transfer has to move. */
    surveyPoint: asActivity((job: RestoreJob): Promise<number> => withHeartbeat(undefined, () => allocatedBytesOf(engine, job, cancellationSignal()))),

    /** Writes one extent of the point into the disk. Heartbeats a `TransferCheckpoint`; a retry goes on from it. */
    restoreExtent: asActivity(({ job, extentIndex, window }: RestoreExtentInput): Promise<TransferState> => {
      const resumeFrom = readCheckpoint(extentIndex, window)
      return withHeartbeat(resumeFrom && checkpointOf(extentIndex, resumeFrom), (report) =>
        transfer(restoreRoute(engine, job), {
          window,
          flow: engine.flows.open(job.toDiskId),
          resumeFrom,
          isResumed: activityInfo().attempt > 1,
          onProgress: (state) => report(checkpointOf(extentIndex, state)),
          signal: cancellationSignal(),
        }),
      )
    }),

    /** Compares the disk with its point while the access is open. Changes nothing. */
    verifyRestore: asActivity((job: RestoreJob): Promise<RestoreReport> =>
      withHeartbeat({ checkedBytes: 0 }, (report) =>
        verifyRestore(engine, job, { onProgress: (checkedBytes) => report({ checkedBytes }), signal: cancellationSignal() }),
      ),
    ),
  }
}
