/**
 * The steps of the workflow `backupDisk`, in its order and with its arguments, but in this process: a run takes a tenth of the time,
 * so thousands of histories can be played. Nothing is replaced behind the steps; what only Temporal adds, its own tests show.
 *
 * A step is repeated as Temporal repeats an activity: after a failure that may pass, and by a new process after a crash.
 */
import { createIncrementalSnapshot, findSnapshot } from '../../azure/snapshots.ts'
import { armIdOf, parseArmId } from '../../domain/arm-id.ts'
import { coarsen, type ByteRange } from '../../domain/byte-range.ts'
import { cutIntoExtents } from '../../domain/extents.ts'
import { BackupError, isFailure } from '../../domain/failures.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { recoveryPointId, sourceSnapshotName, targetKeyOf, type RequestKey } from '../../domain/names.ts'
import type { BackupOptions } from '../../domain/policy.ts'
import type { SourceSnapshot } from '../../domain/source-disk.ts'
import { sourceSnapshotTags } from '../../domain/tags.ts'
import { transferJobOf, type TransferJob } from '../../domain/transfer-job.ts'
import { backupRoute } from '../../engine/backup-route.ts'
import type { Engine } from '../../engine/engine.ts'
import { openBaseBlob } from '../../engine/open-base-blob.ts'
import { planRun } from '../../engine/plan-run.ts'
import { releaseRun } from '../../engine/release-run.ts'
import { sealPoint } from '../../engine/seal-point.ts'
import { surveyChanges } from '../../engine/survey-changes.ts'
import { transfer, type TransferState } from '../../engine/transfer.ts'
import { updateDigests } from '../../engine/update-digests.ts'
import { verifyBaseBlob } from '../../engine/verify-base-blob.ts'
import { WrittenSums } from '../../engine/written-sums.ts'

/** What a crash leaves of a run: another worker goes on, the workflow is terminated, or it is cancelled and cleans up. */
export type AfterCrash = 'resumed' | 'terminated' | 'cancelled'

export interface BackupRequest {
  readonly diskId: string
  readonly targetUrl: string
  readonly options: BackupOptions
  readonly request: RequestKey
  /** A new process: nothing that the one before it held in memory. */
  readonly startProcess: () => Engine
  /** Aborted in the instant of the crash. */
  readonly crash: AbortSignal
  readonly afterCrash: AfterCrash
  readonly onSnapshot: (snapshot: SourceSnapshot) => Promise<void>
}

export class Stopped extends Error {}

type Step<T> = (engine: Engine, signal: AbortSignal, isRetry: boolean) => Promise<T>

const MAX_ATTEMPTS = 6

/** The point, once it is sealed and released. @throws Stopped where the run was terminated or cancelled; what failed it. */
export async function backUpInProcess(input: BackupRequest): Promise<Manifest> {
  const { diskId, targetUrl, options, request } = input
  const runKey = recoveryPointId(diskId, targetUrl, request)
  const attempt = createAttempts(input)

  const planned = await attempt((engine, signal) => planRun(engine, { diskId, targetUrl }, signal))
  const { disk, chain, baseBlobName, striping, plan: firstPlan } = planned
  const { subscriptionId, resourceGroup } = parseArmId(disk.id, 'disks')
  const snapshotId = armIdOf({ subscriptionId, resourceGroup, type: 'snapshots', name: sourceSnapshotName(diskId, targetUrl, request) }).id
  const granted = firstPlan.kind === 'incremental' ? [snapshotId, firstPlan.cursor.snapshotId] : [snapshotId]
  const owner = { targetKey: targetKeyOf(targetUrl), diskUniqueId: disk.uniqueId }
  const release = (isSealed: boolean): Promise<string[]> =>
    attempt((engine, signal) =>
      releaseRun(engine, { targetUrl, baseBlobName, chain, runKey, owner, granted, ...(isSealed && { retention: options.retention }), signal }),
    )
  try {
    const snapshot = await attempt(async ({ azure }, signal) => {
      const tags = sourceSnapshotTags(owner, runKey)
      await createIncrementalSnapshot(azure, { id: snapshotId, diskId: disk.id, diskUniqueId: disk.uniqueId, location: disk.location, tags }, signal)
      const found = await findSnapshot(azure, snapshotId, signal)
      if (found === undefined) throw new BackupError({ type: 'SourceSnapshotNotFound', message: `${snapshotId} is gone` })
      return found
    })
    await input.onSnapshot(snapshot)
    const { opened, plan: openedPlan } = await attempt((engine, signal) =>
      openBaseBlob(engine, {
        targetUrl,
        baseBlobName,
        striping,
        runKey,
        disk,
        snapshot,
        plan: firstPlan,
        ...(planned.planned && { planned: planned.planned }),
        signal,
      }),
    )
    const { plan, changedBytes, clearedBytes } = await attempt((engine, signal) => surveyChanges(engine, openedPlan, snapshot, { signal }))
    const job = transferJobOf(opened, plan, snapshot)
    const { repaired, ...consistent } = await transferUntilConsistent(attempt, job, options.verify)
    const digests = await attempt((engine, signal) => updateDigests(engine, job, { repaired, signal }))
    const manifest = await attempt((engine, signal) =>
      sealPoint(engine, {
        targetUrl,
        baseBlobName,
        striping,
        chain,
        runKey,
        workflowId: 'in-process',
        startedAt: request.requestedAt,
        epoch: job.epoch,
        disk,
        snapshot,
        plan,
        changedBytes,
        clearedBytes,
        ...consistent,
        movement: { transfer: 'copy' },
        digestBasis: digests.basis,
        signal,
      }),
    )
    await release(true)
    return manifest
  } catch (error) {
    if (!(error instanceof Stopped) || input.afterCrash === 'cancelled') await release(false)
    throw error
  }
}

type Attempts = <T>(step: Step<T>) => Promise<T>

function createAttempts({ startProcess, crash, afterCrash }: BackupRequest): Attempts {
  let engine = startProcess()
  let signal = crash
  return async (step) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await step(engine, signal, attempt > 1)
      } catch (error) {
        if (signal.aborted) {
          engine = startProcess()
          signal = new AbortController().signal
          if (afterCrash !== 'resumed') throw new Stopped(afterCrash)
        } else if (!isFailure(error) || error.retry === 'never' || attempt === MAX_ATTEMPTS) throw error
      }
    }
  }
}

type ConsistentTransfer = Pick<Manifest, 'movedBytes' | 'requests' | 'verification'> & { readonly repaired: readonly ByteRange[] }

async function transferUntilConsistent(attempt: Attempts, job: TransferJob, rule: BackupOptions['verify']): Promise<ConsistentTransfer> {
  let movedBytes = 0
  let requests = 0
  const move = async (window: ByteRange, repair?: readonly ByteRange[]): Promise<void> => {
    let checkpoint: TransferState | undefined
    const done = await attempt(async (engine, signal, isResumed) => {
      const onProgress = (state: TransferState): void => {
        checkpoint = state
      }
      const sums = repair === undefined ? new WrittenSums(engine, job, signal) : undefined
      const onProgressOf = (state: TransferState): void => {
        sums?.settle(state.nextOffsetBytes)
        onProgress(state)
      }
      const moved = await transfer(backupRoute(engine, job, { repair, sums }), { window, resumeFrom: checkpoint, isResumed, onProgress: onProgressOf, signal })
      await sums?.finish()
      return moved
    })
    movedBytes += done.movedBytes
    requests += done.requests
  }
  for (const { startBytes, endBytes } of cutIntoExtents(job.blobBytes)) await move({ startBytes, endBytes })
  let repaired: readonly ByteRange[] = []
  for (let round = 1; round <= rule.maxRounds; round++) {
    const { mismatches, writtenBytes, comparedBytes } = await attempt((engine, signal) => verifyBaseBlob(engine, job, { rule, round, repaired, signal }))
    if (mismatches.length === 0) return { movedBytes, requests, repaired, verification: { result: 'passed', rounds: round, writtenBytes, comparedBytes } }
    await move({ startBytes: 0, endBytes: job.blobBytes }, mismatches)
    repaired = coarsen([...repaired, ...mismatches], 512)
  }
  throw new BackupError({ type: 'VerificationFailed', message: `${job.baseBlobName} still differs from ${job.toSnapshotId}` })
}
