/** The steps of `restoreDisk` as activities. Each may run twice; what a restore made is known by its tags. */
import { activityInfo, cancellationSignal, sleep } from '@temporalio/activity'
import type { ByteRange } from '../domain/byte-range.ts'
import type { RestoreRequest } from '../domain/restore-request.ts'
import type { ChunkCheckState } from '../engine/check-chunks.ts'
import type { CompareOptions, CopyReport } from '../engine/compare-with-point.ts'
import type { Engine } from '../engine/engine.ts'
import { whilePointHeld } from '../engine/hold-point.ts'
import { makeDisk } from '../engine/fill-disk.ts'
import { planRestore, type PlannedRestore } from '../engine/plan-restore.ts'
import { abandon, closeUpload, deleteRestoredDisk, handOver, snapshotDisk } from '../engine/release-restore.ts'
import type { RestoreJob } from '../engine/restore-job.ts'
import { allocatedBytesOf, restoreRoute } from '../engine/restore-route.ts'
import { transfer, type TransferState } from '../engine/transfer.ts'
import { verifyDisk, verifyUpload, type RestoreReport } from '../engine/verify-restore.ts'
import { readCheckState } from './check-state.ts'
import { checkpointOf, readCheckpoint } from './checkpoint.ts'
import { withHeartbeat } from './heartbeat.ts'
import { asActivity } from './to-failure.ts'

export type { PlannedRestore } from '../engine/plan-restore.ts'

export interface RestoreExtentInput {
  readonly job: RestoreJob
  readonly extentIndex: number
  readonly window: ByteRange
  /** Write these ranges again: what `verifyUpload` sent back. */
  readonly repair?: readonly ByteRange[]
}

const SNAPSHOT_POLL_MS = 5_000

export function createRestoreControl(engine: Engine) {
  const held = holding(engine)
  return {
    /** Finds what is restored and refuses what would overwrite. Makes nothing but the hold on the point. */
    planRestore: asActivity((input: RestoreRequest): Promise<PlannedRestore> => planRestore(engine, input, cancellationSignal())),

    /** Makes the disk: empty for an upload, filled by Azure otherwise. One made by an earlier attempt is used. */
    makeRestoreDisk: asActivity((plan: PlannedRestore): Promise<void> =>
      withHeartbeat(undefined, () => held(plan.job, () => makeDisk(engine, plan, cancellationSignal()))),
    ),

    /** Closes the upload: the disk has its bytes, and its tag says that they were not compared. */
    closeRestoreUpload: asActivity((disk: PlannedRestore['disk']): Promise<void> => closeUpload(engine, disk, cancellationSignal())),

    /** Says by its tag that the disk was compared: from here on it is the operator's. Answers what Azure refused to set. */
    handOverDisk: asActivity((plan: PlannedRestore): Promise<string | undefined> => handOver(engine, plan, cancellationSignal())),

    /** Makes the snapshot that was asked for and waits until it is whole; one begun by an earlier attempt is used. */
    takeRestoredSnapshot: asActivity((plan: PlannedRestore): Promise<void> =>
      withHeartbeat<{ completionPercent: number }, void>(undefined, async (report) => {
        for (;;) {
          const { isReadable, completionPercent } = await snapshotDisk(engine, plan, cancellationSignal())
          if (isReadable) return
          report({ completionPercent: completionPercent ?? 0 })
          await sleep(SNAPSHOT_POLL_MS)
        }
      }),
    ),

    /** Deletes a disk that a restore made; also one that was handed over, where the group that it belongs to failed. */
    deleteRestoredDisk: asActivity(
      (disk: Pick<PlannedRestore['disk'], 'id' | 'tags'>): Promise<void> => deleteRestoredDisk(engine, disk, cancellationSignal()),
    ),

    /** Takes everything away that the restore has made. */
    abandonRestore: asActivity((plan: PlannedRestore): Promise<void> => abandon(engine, plan, cancellationSignal())),
  }
}

export function createRestoreData(engine: Engine) {
  const held = holding(engine)
  return {
    /** Bytes that are restored: what the transfer has to move. */
    surveyPoint: asActivity((job: RestoreJob): Promise<number> => withHeartbeat(undefined, () => held(job, () => allocatedBytesOf(engine, job, cancellationSignal())))),

    /** Writes one extent into the disk. Heartbeats a `TransferCheckpoint`; a retry goes on from it. */
    restoreExtent: asActivity(({ job, extentIndex, window, repair }: RestoreExtentInput): Promise<TransferState> => {
      const resumeFrom = readCheckpoint(extentIndex, window)
      return withHeartbeat(resumeFrom && checkpointOf(extentIndex, resumeFrom), (report) =>
        held(job, () =>
          transfer(restoreRoute(engine, job, repair), {
            window,
            resumeFrom,
            isResumed: activityInfo().attempt > 1,
            onProgress: (state) => report(checkpointOf(extentIndex, state)),
            signal: cancellationSignal(),
          }),
        ),
      )
    }),

    /** Compares the disk with what it is made from while its upload is open. Changes nothing. A retry goes on where digests are compared. */
    verifyUpload: asActivity((job: RestoreJob): Promise<RestoreReport> => resumably(job, (options) => held(job, () => verifyUpload(engine, job, options)))),

    /** Compares a disk that is closed, by a grant to read that is ended again. Changes nothing else. A retry goes on likewise. */
    verifyDisk: asActivity((job: RestoreJob): Promise<CopyReport> => resumably(job, (options) => held(job, () => verifyDisk(engine, job, options)))),
  }
}

/** Work that reads a point, which retention leaves alone meanwhile. */
function holding(engine: Engine): <Output>(job: RestoreJob, work: () => Promise<Output>) => Promise<Output> {
  return (job, work) => whilePointHeld(engine, job, work, cancellationSignal())
}

/** Heartbeats a `ChunkCheckState`, or how far a sample has come. */
function resumably<Report>({ blobBytes }: RestoreJob, compare: (options: CompareOptions) => Promise<Report>): Promise<Report> {
  const resumeFrom = readCheckState(activityInfo().heartbeatDetails, { startBytes: 0, endBytes: blobBytes })
  return withHeartbeat<ChunkCheckState | { checkedBytes: number }, Report>(resumeFrom, (report) =>
    compare({ resumeFrom, onProgress: (checkedBytes, state) => report(state ?? { checkedBytes }), signal: cancellationSignal() }),
  )
}
