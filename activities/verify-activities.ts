/** The steps of `verifyPoint` as activities. They read the target, and write checks beside the manifests; each may run twice. */
import { activityInfo, cancellationSignal } from '@temporalio/activity'
import type { ByteRange } from '../domain/byte-range.ts'
import { checkChunks, type ChunkCheckState } from '../engine/check-chunks.ts'
import { confirmDamage, type ConfirmedDamage, type Doubt } from '../engine/confirm-damage.ts'
import type { Engine } from '../engine/engine.ts'
import { traceDamage, type DamagedPart } from '../engine/trace-damage.ts'
import { contentCopyOf, readerOf, type VerifyJob } from '../engine/verify-job.ts'
import { planVerification, recordVerification, type PlannedVerification, type VerificationRecord, type VerifyRequest } from '../engine/verify-point.ts'
import { readCheckState } from './check-state.ts'
import { withHeartbeat } from './heartbeat.ts'
import { asActivity } from './to-failure.ts'

export interface VerifyExtentInput {
  readonly job: VerifyJob
  readonly window: ByteRange
}

export function createVerifyControl(engine: Engine) {
  return {
    /** Finds the point and its digests, and says what is to be read. */
    planVerification: asActivity((input: VerifyRequest): Promise<PlannedVerification> => planVerification(engine, input, cancellationSignal())),

    /** Writes down what was found, at every point that is concerned. */
    recordVerification: asActivity((input: VerificationRecord): Promise<void> => recordVerification(engine, input, cancellationSignal())),
  }
}

export function createVerifyData(engine: Engine) {
  return {
    /** Compares the chosen chunks of one extent with their digests. Heartbeats a `ChunkCheckState`; a retry goes on from it. */
    verifyExtent: asActivity(({ job, window }: VerifyExtentInput): Promise<ChunkCheckState> => {
      const resumeFrom = readCheckState(activityInfo().heartbeatDetails, window)
      return withHeartbeat(resumeFrom, (report) =>
        checkChunks(readerOf(engine, job.targetUrl, job.digests), job.content.blobBytes, contentCopyOf(engine, job.content), {
          window,
          choice: job.choice,
          resumeFrom,
          onProgress: report,
          signal: cancellationSignal(),
        }),
      )
    }),

    /** Finds the points that share the damage. */
    traceDamage: asActivity(({ job, differing }: { job: VerifyJob; differing: readonly ByteRange[] }): Promise<DamagedPart[]> =>
      withHeartbeat(undefined, () => traceDamage(engine, job, differing, cancellationSignal())),
    ),

    /** Compares chunks that another step has doubts of with the digests of their point, and marks what is concerned. */
    confirmDamage: asActivity((input: Doubt): Promise<ConfirmedDamage> => withHeartbeat(undefined, () => confirmDamage(engine, input, cancellationSignal()))),
  }
}
