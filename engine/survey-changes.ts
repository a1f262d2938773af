/**
 * Counts what a transfer will have to move before the base blob is touched, and finds out whether Azure answers the diff at all.
 * The totals feed progress and the manifest; the ranges themselves are listed again by each extent. Where changes are so
 * scattered that requests are what binds, it also decides which gaps between them are worth copying along.
 */
import { sizeOfSource } from '../azure/source-blob.ts'
import { batchesOf, throughBatches, type BatchStream } from '../domain/batches.ts'
import { lengthOf, type ByteRange } from '../domain/byte-range.ts'
import type { BackupPlan } from '../domain/backup-plan.ts'
import { fillGaps } from '../domain/fill-gaps.ts'
import { ALL_GAPS, chooseGapRule, isBoundByRequests, type ChangeCounts, type GapRule } from '../domain/gap-rule.ts'
import { isFailure } from '../domain/failures.ts'
import { blobBytesOf, type SourceSnapshot } from '../domain/source-disk.ts'
import type { Comparison } from '../domain/transfer-job.ts'
import type { Change } from '../domain/transfer-plan.ts'
import type { Engine } from './engine.ts'

export interface Survey {
  /** The plan, or a reseed where the diff was refused. */
  readonly plan: BackupPlan
  readonly changedBytes: number
  readonly clearedBytes: number
  readonly ranges: number
  /** Of `TransferJob`. */
  readonly gaps?: GapRule
  /** Of `TransferJob`. */
  readonly comparison?: Comparison
}

export interface SurveyOptions {
  /** Ranges counted so far, now and then. */
  readonly onProgress?: (ranges: number) => void
  readonly signal?: AbortSignal | undefined
}

/** Reads lists only; safe to run any number of times. A SAS that died is renewed by the retry of the activity. */
export async function surveyChanges(engine: Engine, plan: BackupPlan, snapshot: SourceSnapshot, options: SurveyOptions = {}): Promise<Survey> {
  const window = { startBytes: 0, endBytes: blobBytesOf(snapshot.sizeBytes) }
  const { signal } = options
  if (plan.kind === 'incremental') {
    let previousUrl = ''
    try {
      const both = await engine.exports.readBoth(snapshot.id, plan.cursor.snapshotId, signal, window.endBytes)
      const { url } = both
      previousUrl = both.previousUrl
      const source = { url, auth: 'sas' } as const
      const list = (): AsyncGenerator<Change> => engine.pageLists.managedDiskDiff(source, previousUrl, window, options.signal)
      const totals = await total(list(), options)
      if (!isBoundByRequests(totals)) return { plan, ...totals }
      const held = engine.pageLists.allocated(source, window, options.signal)
      const gaps = await gapRule(totals, list(), held)
      return { plan, ...totals, ...(gaps !== undefined && { gaps }) }
    } catch (error) {
      if (isFailure(error, 'SourceSnapshotNotFound')) return surveyChanges(engine, { kind: 'reseed', cause: 'CursorSnapshotGone' }, snapshot, options)
      if (!isFailure(error, 'DiffRefused')) throw error
      // The SAS of the cursor travels in a header: that it has died may look like a refusal of the diff.
      await sizeOfSource(engine.azure, previousUrl, signal)
      return surveyChanges(engine, { kind: 'reseed', cause: 'DiffRefused' }, snapshot, options)
    }
  }
  const source = { url: await engine.exports.read(snapshot.id, signal, window.endBytes), auth: 'sas' } as const
  return { plan, ...(await total(asCopies(engine.pageLists.allocated(source, window, options.signal)), options)) }
}

function asCopies(ranges: AsyncIterable<ByteRange>): BatchStream<Change> {
  return throughBatches(ranges, ({ startBytes, endBytes }, emit: (change: Change) => void) => emit({ kind: 'copy', startBytes, endBytes }))
}

async function gapRule(
  counts: ChangeCounts,
  changes: AsyncIterable<Change>,
  held: AsyncIterable<ByteRange>,
): Promise<GapRule | undefined> {
  const gaps = new Map<number, number>()
  for await (const batch of batchesOf(fillGaps(changes, held, ALL_GAPS))) {
    for (const change of batch) if (change.isFill) gaps.set(lengthOf(change), (gaps.get(lengthOf(change)) ?? 0) + 1)
  }
  return chooseGapRule(counts, gaps)
}

async function total(changes: AsyncIterable<Change>, options: SurveyOptions): Promise<Omit<Survey, 'plan' | 'gaps'>> {
  const sums = { copy: 0, clear: 0 }
  let ranges = 0
  for await (const batch of batchesOf(changes)) {
    for (const change of batch) if (change.kind !== 'same') sums[change.kind] += lengthOf(change)
    ranges += batch.length
    options.onProgress?.(ranges)
  }
  return { changedBytes: sums.copy, clearedBytes: sums.clear, ranges }
}
