/** The steps of `verifyPoint` as activities. They read the target, and write checks beside the manifests; each may run twice. */
import { activityInfo, cancellationSignal } from '@temporalio/activity'
import type { ByteRange } from '../domain/byte-range.ts'
import { checkChunks, type ChunkCheckOptions, type ChunkCheckState } from '../engine/check-chunks.ts'
import { confirmDamage, type ConfirmedDamage, type Doubt } from '../engine/confirm-damage.ts'
import type { Engine } from '../engine/engine.ts'
import { traceDamage, type Damage, type DamagedPart } from '../engine/trace-damage.ts'
import { contentCopyOf, readerOf, type VerifyJob } from '../engine/verify-job.ts'
import { planVerification, recordVerification, type PlannedVerification, type VerificationRecord, type VerifyRequest } from '../engine/verify-point.ts'
import { checkSource } from '../engine/verify-source.ts'
import { readCheckState } from './check-state.ts'
import { withHeartbeat } from './heartbeat.ts'
import { asActivity } from './to-failure.ts'

export type { ChunkCheckState } from '../engine/check-chunks.ts'
export type { Doubt } from '../engine/confirm-damage.ts'
export type { VerifyJob } from '../engine/verify-job.ts'

/** An extent of the source, or of the point. */
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

    /** Ends the access to a snapshot that was read. */
    endSnapshotAccess: asActivity(({ snapshotId }: { snapshotId: string }): Promise<void> => engine.exports.revoke(snapshotId, cancellationSignal())),
  }
}

export function createVerifyData(engine: Engine) {
  /** Heartbeats a `ChunkCheckState`; a retry goes on from it. */
  const check = ({ job, window }: VerifyExtentInput, work: (options: ChunkCheckOptions) => Promise<ChunkCheckState>): Promise<ChunkCheckState> => {
    const resumeFrom = readCheckState(activityInfo().heartbeatDetails, window)
    return withHeartbeat(resumeFrom, (onProgress) => work({ window, choice: job.choice, resumeFrom, onProgress, signal: cancellationSignal() }))
  }
  return {
    /** Compares the chosen chunks of one extent with their digests. */
    verifyExtent: asActivity((input: VerifyExtentInput): Promise<ChunkCheckState> => {
      const { targetUrl, digests, content } = input.job
      return check(input, (options) => checkChunks(readerOf(engine, targetUrl, digests), content.blobBytes, contentCopyOf(engine, content), options))
    }),

    /** Compares the same chunks of the source snapshot with the digests of the point. */
    verifySourceExtent: asActivity((input: VerifyExtentInput & { snapshotId: string }): Promise<ChunkCheckState> =>
      check(input, (options) => checkSource(engine, input.job, input.snapshotId, options)),
    ),

    /** Finds the points that share the damage. */
    traceDamage: asActivity((input: Damage): Promise<DamagedPart[]> => withHeartbeat(undefined, () => traceDamage(engine, input, cancellationSignal()))),

    /** Compares chunks that another step has doubts of with the digests of their point, and marks what is concerned. */
    confirmDamage: asActivity((input: Doubt): Promise<ConfirmedDamage> => withHeartbeat(undefined, () => confirmDamage(engine, input, cancellationSignal()))),
  }
}
