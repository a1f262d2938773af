/**
 * A step of a run that another run has overtaken meets bytes that are not its own, or misses the snapshots that the other one's release
 * has deleted. Where the base blob is not held any more, that is what is told, and neither damage nor a loss.
 */
import { isFailure } from '../domain/failures.ts'
import type { OpenedBase } from '../domain/transfer-job.ts'
import type { Engine } from './engine.ts'
import { requireAllHeld } from './hold-stripes.ts'
import { baseBlobOf } from './striped-blob.ts'

/** What being overtaken may look like. */
const SYMPTOMS = ['DiffRefused', 'PointNotFound', 'SourceSnapshotNotFound', 'VerificationFailed'] as const

/** @throws BackupError FencedOut instead of a symptom of it; else what the work throws. */
export async function whileHeld<Output>(engine: Engine, opened: OpenedBase, work: () => Promise<Output>, signal?: AbortSignal): Promise<Output> {
  try {
    return await work()
  } catch (error) {
    if (isFailure(error, ...SYMPTOMS)) await requireAllHeld(baseBlobOf(engine, opened).stripes, opened.epoch, signal)
    throw error
  }
}
