/**
 * The steps of `backupDisk` as activities: Temporal's edge of the engine. Each may run twice, and beside a dead attempt of
 * itself. What they take and give is plain data without secrets; SAS stay in the process (`ExportAccess`).
 */
import { activityInfo, cancellationSignal, sleep } from '@temporalio/activity'
import type { SnapshotStatus } from '../azure/snapshot-model.ts'
import { createIncrementalSnapshot, findSnapshot } from '../azure/snapshots.ts'
import type { BackupPlan } from '../domain/backup-plan.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { BackupError } from '../domain/failures.ts'
import type { BackupOptions, VerifyRule } from '../domain/policy.ts'
import type { RecoveryPoint } from '../domain/recovery-point.ts'
import { recoveryPointOf } from '../domain/recovery-point.ts'
import { blobBytesOf, snapshotAccessOf, type SourceDisk, type SourceSnapshot } from '../domain/source-disk.ts'
import { sourceSnapshotTags, type SnapshotOwner } from '../domain/tags.ts'
import type { OpenedBase, TransferJob } from '../domain/transfer-job.ts'
import { backupRoute } from '../engine/backup-route.ts'
import { chooseComparison } from '../engine/choose-comparison.ts'
import type { Engine } from '../engine/engine.ts'
import { openBaseBlob, type OpenOptions, type OpenResult } from '../engine/open-base-blob.ts'
import { planRun, type PlannedRun, type PlanRequest } from '../engine/plan-run.ts'
import { releaseRun, type ReleaseOptions } from '../engine/release-run.ts'
import { sealPoint, type SealOptions } from '../engine/seal-point.ts'
import { surveyChanges, type Survey } from '../engine/survey-changes.ts'
import { transfer, type TransferState } from '../engine/transfer.ts'
import type { DigestReport } from '../engine/digest-step.ts'
import { updateDigests } from '../engine/update-digests.ts'
import { verifyBaseBlob, type VerifyReport } from '../engine/verify-base-blob.ts'
import { whileHeld } from '../engine/while-held.ts'
import { WrittenSums } from '../engine/written-sums.ts'
import { checkpointOf, readCheckpoint } from './checkpoint.ts'
import { withHeartbeat } from './heartbeat.ts'
import { renewingExports } from './renewing-exports.ts'
import type { SealedHook } from './sealed-hook.ts'
import { asActivity } from './to-failure.ts'

export interface TakeSnapshotInput {
  readonly snapshotId: string
  readonly disk: SourceDisk
  readonly owner: SnapshotOwner
  readonly runKey: string
  readonly options: BackupOptions
}

export interface SurveyInput {
  readonly plan: BackupPlan
  readonly snapshot: SourceSnapshot
  readonly opened: OpenedBase
  readonly reseed?: BackupOptions['reseed']
}

export interface TransferExtentInput {
  readonly job: TransferJob
  readonly extentIndex: number
  readonly window: ByteRange
  /** Read these ranges again, whatever the diff says: what `verifyBaseBlob` sent back. */
  readonly repair?: readonly ByteRange[]
}

export interface VerifyInput {
  readonly job: TransferJob
  readonly rule: VerifyRule
  readonly round: number
  readonly repaired: readonly ByteRange[]
}

export interface DigestInput {
  readonly job: TransferJob
  readonly repaired: readonly ByteRange[]
}

const READABLE_POLL_MS = 5_000
/** What was made a moment ago may be missing from an answer that comes from elsewhere. */
const MOST_LOOKS_IN_VAIN = 3

/** Short calls to ARM and the target: plan, snapshot, open, seal, release. */
export function createBackupControl(engine: Engine, onSealed?: SealedHook) {
  return {
    /** Reads the disk, the target, the base blob and the cursor. Makes nothing but the target's marker. */
    planBackup: asActivity(
      (input: PlanRequest): Promise<PlannedRun> => planRun(engine, input, cancellationSignal()),
    ),

    /** Takes the run's snapshot, once: its name follows from the run. Waits until it can be read. */
    takeSourceSnapshot: asActivity(({ snapshotId, disk, owner, runKey, options }: TakeSnapshotInput): Promise<SourceSnapshot> =>
      withHeartbeat({ snapshotId, completionPercent: 0 }, async (report) => {
        let status: SnapshotStatus | undefined = await createIncrementalSnapshot(
          engine.azure,
          {
            id: snapshotId,
            diskId: disk.id,
            diskUniqueId: disk.uniqueId,
            location: disk.location,
            access: snapshotAccessOf(disk),
            tags: sourceSnapshotTags(owner, runKey),
            ...(options.snapshotSku !== undefined && { sku: options.snapshotSku }),
          },
          cancellationSignal(),
        )
        for (let looksInVain = 0; looksInVain < MOST_LOOKS_IN_VAIN; ) {
          looksInVain = status === undefined ? looksInVain + 1 : 0
          if (status?.failure !== undefined) throw snapshotFailed(snapshotId, status.failure)
          if (status?.isReadable === true) {
            const { id, uniqueId, familyId, sourceUniqueId, sizeBytes, takenAt } = status
            return { id, uniqueId, sizeBytes, takenAt, ...(familyId !== undefined && { familyId }), ...(sourceUniqueId !== undefined && { sourceUniqueId }) }
          }
          report({ snapshotId, completionPercent: status?.completionPercent ?? 0 })
          await sleep(READABLE_POLL_MS)
          status = await findSnapshot(engine.azure, snapshotId, cancellationSignal())
        }
        throw snapshotGone(snapshotId)
      }),
    ),

    /** Fences the base blob for this run and fixes what its own writes are measured against. */
    openBaseBlob: asActivity((input: OpenOptions): Promise<OpenResult> => openBaseBlob(engine, { ...input, signal: cancellationSignal() })),

    /** Makes the recovery point: epoch, blob snapshot, manifest, cursor. */
    sealRecoveryPoint: asActivity(async (input: SealOptions): Promise<RecoveryPoint> => {
      const point = recoveryPointOf(await sealPoint(engine, { ...input, signal: cancellationSignal() }))
      onSealed?.(input.targetUrl, point)
      return point
    }),

    /** Revokes SAS, sweeps, prunes. Returns what it was not allowed to do. */
    releaseBackup: asActivity((input: ReleaseOptions): Promise<string[]> => releaseRun(engine, { ...input, signal: cancellationSignal() })),
  }
}

/** Long work on lists and bytes. */
export function createBackupData(engine: Engine) {
  const held = <Output>(opened: OpenedBase, work: () => Promise<Output>): Promise<Output> => whileHeld(engine, opened, work, cancellationSignal())
  return {
    /** Counts what will have to move, and turns the plan into a reseed where Azure refuses the diff. */
    surveyChanges: asActivity(({ plan, snapshot, opened, reseed }: SurveyInput): Promise<Survey> =>
      withHeartbeat({ ranges: 0 }, async (report) => {
        const signal = cancellationSignal()
        const survey = await held(opened, () =>
          renewingExports(engine, plan.kind === 'incremental' ? [snapshot.id, plan.cursor.snapshotId] : [snapshot.id], () =>
            surveyChanges(engine, plan, snapshot, { onProgress: (ranges) => report({ ranges }), signal }),
          ),
        )
        const comparison = await chooseComparison(engine, survey.plan, opened, blobBytesOf(snapshot.sizeBytes), reseed, signal)
        return { ...survey, ...(comparison !== undefined && { comparison }) }
      }),
    ),

    /** Copies and clears one extent. Heartbeats a `TransferCheckpoint`; a retry goes on from it. */
    transferExtent: asActivity(({ job, extentIndex, window, repair }: TransferExtentInput): Promise<TransferState> => {
      const resumeFrom = readCheckpoint(extentIndex, window)
      // What is written a second time is read back by the digest step.
      const sums = repair === undefined ? new WrittenSums(engine, job, cancellationSignal()) : undefined
      return withHeartbeat(resumeFrom && checkpointOf(extentIndex, resumeFrom), async (report) => {
        const work = (): Promise<TransferState> =>
          transfer(backupRoute(engine, job, { repair, sums }), {
            window,
            resumeFrom,
            mode: job.mode,
            isResumed: activityInfo().attempt > 1,
            onProgress: (state) => {
              sums?.settle(state.nextOffsetBytes)
              report(checkpointOf(extentIndex, state))
            },
            signal: cancellationSignal(),
          })
        const done = await held(job, work)
        await sums?.finish()
        return done
      })
    }),

    /** Compares lists, footer and samples; names what must be transferred again. Changes nothing. */
    verifyBaseBlob: asActivity(({ job, rule, round, repaired }: VerifyInput): Promise<VerifyReport> =>
      withHeartbeat({ checkedBytes: 0 }, (report) =>
        held(job, () =>
          renewingExports(engine, [job.toSnapshotId, ...(job.fromSnapshotId === undefined ? [] : [job.fromSnapshotId])], () =>
            verifyBaseBlob(engine, job, { rule, round, repaired, onProgress: (checkedBytes) => report({ checkedBytes }), signal: cancellationSignal() }),
          ),
        ),
      ),
    ),

    /** Brings the digest table to what the base blob holds. A retry goes on behind what is in the table already. */
    updateDigests: asActivity(({ job, repaired }: DigestInput): Promise<DigestReport> =>
      withHeartbeat({ digestedBytes: 0 }, (report) =>
        held(job, () =>
          renewingExports(engine, [job.toSnapshotId], () =>
            updateDigests(engine, job, { repaired, onProgress: (digestedBytes) => report({ digestedBytes }), signal: cancellationSignal() }),
          ),
        ),
      ),
    ),
  }
}

function snapshotGone(snapshotId: string): BackupError {
  return new BackupError({ type: 'SourceSnapshotNotFound', message: `snapshot ${snapshotId} was deleted while it was awaited`, facts: { snapshotId } })
}

function snapshotFailed(snapshotId: string, why: string): BackupError {
  return new BackupError({ type: 'SnapshotFailed', message: `Azure could not complete snapshot ${snapshotId}: ${why}`, facts: { snapshotId } })
}
