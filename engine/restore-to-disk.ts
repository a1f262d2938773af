/**
 * A whole restore in this process, without Temporal: the steps of the workflow `restoreDisk`, by the same engine.
 *
 *     plan -> create -> transfer -> verify -> release
 *
 * What fails or is cancelled takes its half-made disk away again. A process that is killed cannot: the disk then stays behind,
 * never attachable, and carries the tag `snapferry: restore`.
 */
import { createUploadDisk } from '../azure/disks.ts'
import { describeRanges } from '../domain/byte-range.ts'
import { BackupError } from '../domain/failures.ts'
import type { Engine } from './engine.ts'
import { persist, transferPersistently, type PersistOptions } from './persist.ts'
import type { PlannedRestore } from './plan-restore.ts'
import { abandon, handOver } from './release-restore.ts'
import { allocatedBytesOf, restoreRoute } from './restore-route.ts'
import { verifyRestore } from './verify-restore.ts'

export interface StepProgress {
  readonly phase: 'create' | 'transfer' | 'verify' | 'release'
  readonly movedBytes: number
  readonly totalBytes?: number
}

export interface RestoreToDiskOptions {
  readonly onProgress?: (progress: StepProgress) => void
  readonly onRetry?: PersistOptions['onRetry']
  /** Told when the half-made disk could not be taken away. */
  readonly onLeftBehind?: (error: unknown) => void
  readonly signal?: AbortSignal | undefined
}

export interface RestoredDisk {
  readonly diskId: string
  readonly movedBytes: number
  readonly comparedBytes: number
  /** false: the upload let nothing be read, so nothing was compared. */
  readonly isCompared: boolean
}

/** @throws BackupError VerificationFailed | DiskExists | … ; the signal's reason when it was aborted. */
export async function restoreToDisk(engine: Engine, plan: PlannedRestore, options: RestoreToDiskOptions = {}): Promise<RestoredDisk> {
  try {
    return await runSteps(engine, plan, options)
  } catch (error) {
    await persist(() => abandon(engine, plan.disk), { fruitlessAttempts: 4 }).catch((cause: unknown) => {
      options.onLeftBehind?.(cause)
    })
    throw error
  }
}

async function runSteps(engine: Engine, { job, disk }: PlannedRestore, options: RestoreToDiskOptions): Promise<RestoredDisk> {
  const { signal, onProgress, onRetry } = options
  const patience: PersistOptions = { signal, ...(onRetry && { onRetry }) }
  onProgress?.({ phase: 'create', movedBytes: 0 })
  await persist(() => createUploadDisk(engine.azure, disk, signal), patience)

  const totalBytes = await persist(() => allocatedBytesOf(engine, job, signal), patience)
  const progressOf = (phase: StepProgress['phase'], movedBytes: number) => onProgress?.({ phase, movedBytes, totalBytes })
  progressOf('transfer', 0)
  const { movedBytes } = await transferPersistently(
    restoreRoute(engine, job),
    {
      window: { startBytes: 0, endBytes: job.blobBytes },
      flow: engine.flows.open(job.toDiskId),
      isResumed: false,
      onProgress: (state) => progressOf('transfer', state.movedBytes),
      signal,
    },
    patience,
  )

  progressOf('verify', movedBytes)
  const { mismatches, comparedBytes, isReadable } = await persist(() => verifyRestore(engine, job, { signal }), patience)
  if (mismatches.length > 0) {
    throw new BackupError({
      type: 'VerificationFailed',
      message: `disk ${disk.id} differs from its point at ${describeRanges(mismatches)}; it is deleted again`,
      facts: { diskId: disk.id },
    })
  }

  progressOf('release', movedBytes)
  await persist(() => handOver(engine, disk, signal), patience)
  return { diskId: disk.id, movedBytes, comparedBytes, isCompared: isReadable }
}
