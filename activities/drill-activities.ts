/** The steps of `drillRestore` and `watchDrills` as activities. Each may run twice. */
import { activityInfo, cancellationSignal, log } from '@temporalio/activity'
import { pruneDrillResults, writeDrillResult } from '../azure/drill-results.ts'
import type { DrillResult } from '../domain/drill-result.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import type { PointDigests } from '../domain/manifest.ts'
import type { Engine } from '../engine/engine.ts'
import { inspectDrill, type DrillInspection } from '../engine/inspect-drill.ts'
import { planDrill, type DrillRequest, type PlannedDrill } from '../engine/plan-drill.ts'
import type { RestoreJob } from '../engine/restore-job.ts'
import { reviewDrills, type DrillReviewRequest } from '../engine/review-drills.ts'
import { runProgram } from '../engine/run-program.ts'
import type { Silence } from '../domain/drill-review.ts'
import { readCheckState } from './check-state.ts'
import { NO_DRILL_HOST, type DrillHost } from './drill-host.ts'
import { withHeartbeat } from './heartbeat.ts'
import { asActivity } from './to-failure.ts'

export type { PlannedDrill } from '../engine/plan-drill.ts'

export interface InspectDrillInput {
  readonly job: RestoreJob
  readonly digests?: PointDigests
  readonly command?: readonly string[]
}

/** What the alert command gets on stdin. Additive. */
export interface DrillAlert {
  readonly format: 1
  readonly type: 'DrillFailed' | 'DrillOverdue'
  readonly message: string
  readonly targetUrl: string
  readonly policy?: string
  readonly diskId?: string
  readonly drill?: DrillResult
}

export function createDrillControl(engine: Engine, host: DrillHost = NO_DRILL_HOST) {
  return {
    /** Chooses the point. Deletes the disk of a drill that was terminated. */
    planDrill: asActivity((input: DrillRequest): Promise<PlannedDrill> => planDrill(engine, input, cancellationSignal())),

    /** Keeps the result in the target, where it outlives Temporal, and deletes the oldest ones. */
    recordDrill: asActivity(async ({ targetUrl, result }: { targetUrl: string; result: DrillResult }): Promise<void> => {
      await writeDrillResult(engine.azure, targetUrl, result, cancellationSignal())
      host.gauges.ended(targetUrl, result)
      try {
        await pruneDrillResults(engine.azure, targetUrl, result.diskId, cancellationSignal())
      } catch (error) {
        // The result is kept, which is what counts; one too many does no harm, and the next drill tries again.
        if (!isFailure(error)) throw error
        log.warn(error.message)
      }
    }),

    /** Reads the results of a policy's drills and shows them as metrics. */
    reviewDrills: asActivity(async (input: DrillReviewRequest): Promise<Silence> => {
      const review = await reviewDrills(engine, input, cancellationSignal())
      host.gauges.reviewed(input, review)
      return review.silence
    }),

    /** Runs the worker's alert command, where it has one. */
    raiseAlert: asActivity(async (alert: DrillAlert): Promise<void> => {
      if (host.alertCommand === undefined) return
      const words = host.alertCommand
      const { exitCode, output } = await withHeartbeat(undefined, () =>
        runProgram(words, { input: `${JSON.stringify(alert)}\n`, signal: cancellationSignal() }),
      )
      if (exitCode === 0) return
      throw new BackupError({ type: 'AlertFailed', message: `alert command ${words[0]} ended with ${exitCode}: ${output}` })
    }),
  }
}

export function createDrillData(engine: Engine, host: DrillHost = NO_DRILL_HOST) {
  return {
    /** Compares every byte of the restored disk, and runs the user's program on it. Heartbeats a `ChunkCheckState`. */
    inspectDrill: asActivity(({ job, digests, command }: InspectDrillInput): Promise<DrillInspection> => {
      const resumeFrom = readCheckState(activityInfo().heartbeatDetails, { startBytes: 0, endBytes: job.blobBytes })
      return withHeartbeat(resumeFrom, (report) =>
        inspectDrill(engine, job, digests, {
          command,
          mayRunCommands: host.mayRunCommands,
          resumeFrom,
          onProgress: report,
          signal: cancellationSignal(),
        }),
      )
    }),
  }
}
