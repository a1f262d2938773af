/**
 * Counts what a transfer will have to move before the base blob is touched, and finds out whether Azure answers the diff at all.
 * The totals feed progress and the manifest; the ranges themselves are listed again by each extent.
 */
import { lengthOf } from '../domain/byte-range.ts'
import type { BackupPlan } from '../domain/backup-plan.ts'
import { isFailure } from '../domain/failures.ts'
import { blobBytesOf, type SourceSnapshot } from '../domain/source-disk.ts'
import type { Change } from '../domain/transfer-plan.ts'
import type { Engine } from './engine.ts'

export interface Survey {
  /** The plan, or a reseed where the diff was refused. */
  readonly plan: BackupPlan
  readonly changedBytes: number
  readonly clearedBytes: number
  readonly ranges: number
}

export interface SurveyOptions {
  readonly onProgress?: (ranges: number) => void
  readonly signal?: AbortSignal | undefined
}

/** Reads lists only; safe to run any number of times. A SAS that died is renewed by the retry of the activity. */
export async function surveyChanges(engine: Engine, plan: BackupPlan, snapshot: SourceSnapshot, options: SurveyOptions = {}): Promise<Survey> {
  const window = { startBytes: 0, endBytes: blobBytesOf(snapshot.sizeBytes) }
  const source = { url: await engine.exports.read(snapshot.id, options.signal), auth: 'sas' } as const
  if (plan.kind === 'incremental') {
    try {
      const previousUrl = await engine.exports.read(plan.cursor.snapshotId, options.signal)
      return { plan, ...(await total(engine.pageLists.managedDiskDiff(source, previousUrl, window, options.signal), options)) }
    } catch (error) {
      if (isFailure(error, 'SourceSnapshotNotFound')) return surveyChanges(engine, { kind: 'reseed', cause: 'CursorSnapshotGone' }, snapshot, options)
      if (isFailure(error, 'DiffRefused')) return surveyChanges(engine, { kind: 'reseed', cause: 'DiffRefused' }, snapshot, options)
      throw error
    }
  }
  return { plan, ...(await total(asCopies(engine.pageLists.allocated(source, window, options.signal)), options)) }
}

async function* asCopies(ranges: AsyncIterable<{ startBytes: number; endBytes: number }>): AsyncGenerator<Change> {
  for await (const { startBytes, endBytes } of ranges) yield { kind: 'copy', startBytes, endBytes }
}

async function total(changes: AsyncIterable<Change>, options: SurveyOptions): Promise<Omit<Survey, 'plan'>> {
  const sums = { copy: 0, clear: 0 }
  let ranges = 0
  for await (const change of changes) {
    sums[change.kind] += lengthOf(change)
    ranges += 1
    options.onProgress?.(ranges)
  }
  return { changedBytes: sums.copy, clearedBytes: sums.clear, ranges }
}
