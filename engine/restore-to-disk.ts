/**
 * A whole restore in this process, without Temporal: the steps of the workflow `restoreDisk`, by the same engine.
 *
 *     plan -> create -> transfer <-> verify -> release
 *
 * What fails or is cancelled takes what it made away again. A process that is killed cannot: the disk then stays behind, with
 * the tags `snapferry: restore` and `snapferry-check: pending`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describeRanges, type ByteRange } from '../domain/byte-range.ts'
import { BackupError } from '../domain/failures.ts'
import { MAX_RESTORE_ROUNDS, MAY_BE_DAMAGED, originLabel } from '../domain/restore-request.ts'
import type { Engine } from './engine.ts'
import { makeDisk } from './fill-disk.ts'
import { whilePointHeld } from './hold-point.ts'
import { persist, transferPersistently, type PersistOptions } from './persist.ts'
import type { PlannedRestore } from './plan-restore.ts'
import { abandon, closeUpload, deleteRestoredDisk, handOver, snapshotDisk } from './release-restore.ts'
import { allocatedBytesOf, restoreRoute } from './restore-route.ts'
import { verifyDisk, verifyUpload } from './verify-restore.ts'

export interface StepProgress {
  readonly phase: 'create' | 'transfer' | 'verify' | 'release'
  readonly movedBytes: number
  readonly totalBytes?: number
}

export interface RestoreToDiskOptions {
  readonly onProgress?: (progress: StepProgress) => void
  readonly onRetry?: PersistOptions['onRetry']
  /** Told when what was half-made could not be taken away. */
  readonly onLeftBehind?: (error: unknown) => void
  readonly signal?: AbortSignal | undefined
}

export interface RestoredDisk {
  /** ARM id of what was made. */
  readonly resourceId: string
  readonly movedBytes: number
  readonly comparedBytes: number
  readonly warnings: readonly string[]
}

const SNAPSHOT_POLL_MS = 2_000

/** @throws BackupError VerificationFailed | DiskExists | … ; the signal's reason when it was aborted. */
export async function restoreToDisk(engine: Engine, plan: PlannedRestore, options: RestoreToDiskOptions = {}): Promise<RestoredDisk> {
  try {
    return await whilePointHeld(engine, plan.job, () => runSteps(engine, plan, options), options.signal)
  } catch (error) {
    await persist(() => abandon(engine, plan), { fruitlessAttempts: 4 }).catch((cause: unknown) => {
      options.onLeftBehind?.(cause)
    })
    throw error
  }
}

async function runSteps(engine: Engine, plan: PlannedRestore, options: RestoreToDiskOptions): Promise<RestoredDisk> {
  const { disk, snapshot, filling } = plan
  const { signal, onProgress, onRetry } = options
  const patience: PersistOptions = { signal, ...(onRetry && { onRetry }) }
  onProgress?.({ phase: 'create', movedBytes: 0 })
  await persist(() => makeDisk(engine, plan, signal), patience)

  const uploaded = filling.kind === 'upload' ? await upload(engine, plan, options, patience) : { movedBytes: 0, comparedBytes: 0, isCompared: false }
  const { movedBytes } = uploaded
  let { comparedBytes } = uploaded
  if (!uploaded.isCompared && plan.isUncompared !== true) {
    onProgress?.({ phase: 'verify', movedBytes })
    const report = await persist(() => verifyDisk(engine, plan.job, { signal }), patience)
    refuseMismatches(plan, report.mismatches)
    comparedBytes = report.comparedBytes
  }

  onProgress?.({ phase: 'release', movedBytes })
  const unset = await persist(() => handOver(engine, plan, signal), patience)
  const warnings = [...plan.warnings, ...(unset === undefined ? [] : [unset])]
  if (snapshot === undefined) return { resourceId: disk.id, movedBytes, comparedBytes, warnings }
  while (!(await persist(() => snapshotDisk(engine, plan, signal), patience)).isReadable) {
    await sleep(SNAPSHOT_POLL_MS, undefined, signal === undefined ? {} : { signal })
  }
  await persist(() => deleteRestoredDisk(engine, disk, signal), patience)
  return { resourceId: snapshot.id, movedBytes, comparedBytes, warnings }
}

/** Writes, compares and mends while the upload is open, then closes it. */
async function upload(engine: Engine, plan: PlannedRestore, { signal, onProgress }: RestoreToDiskOptions, patience: PersistOptions) {
  const { job, disk } = plan
  const totalBytes = await persist(() => allocatedBytesOf(engine, job, signal), patience)
  const window = { startBytes: 0, endBytes: job.blobBytes }
  let movedBytes = 0
  let repair: readonly ByteRange[] | undefined
  for (let round = 1; ; round++) {
    onProgress?.({ phase: 'transfer', movedBytes, totalBytes })
    const movedBefore = movedBytes
    const done = await transferPersistently(
      restoreRoute(engine, job, repair),
      {
        window,
        isResumed: false,
        onProgress: (state) => onProgress?.({ phase: 'transfer', movedBytes: movedBefore + state.movedBytes, totalBytes }),
        signal,
      },
      patience,
    )
    movedBytes += done.movedBytes
    onProgress?.({ phase: 'verify', movedBytes, totalBytes })
    const { mismatches, comparedBytes, isReadable } = await persist(() => verifyUpload(engine, job, { signal }), patience)
    if (mismatches.length > 0 && round < MAX_RESTORE_ROUNDS) {
      repair = mismatches
      continue
    }
    refuseMismatches(plan, mismatches)
    await persist(() => closeUpload(engine, disk, signal), patience)
    return { movedBytes, comparedBytes, isCompared: isReadable }
  }
}

function refuseMismatches({ disk, origin }: PlannedRestore, mismatches: readonly ByteRange[]): void {
  if (mismatches.length === 0) return
  throw new BackupError({
    type: 'VerificationFailed',
    message: `disk ${disk.id} differs from ${originLabel(origin)} at ${describeRanges(mismatches)}; it is deleted again. ${MAY_BE_DAMAGED}`,
    facts: { diskId: disk.id },
  })
}
