/**
 * What must be written to the base blob in a window of address space, as a sorted stream of changes.
 *
 * Three questions, one shape of answer: everything allocated (full, reseed), the difference to the cursor (incremental), or given
 * ranges read again (repair). The footer is always copied. Where the diff does not tell what the source holds, its
 * page list does: allocated pages are copied, the others cleared. Scattered changes come with the gaps between them that
 * are worth copying along.
 */
import type { PageListSource } from '../azure/page-lists.ts'
import { laterBatches, throughBatches, type BatchStream } from '../domain/batches.ts'
import { clip, type ByteRange } from '../domain/byte-range.ts'
import { fillGaps, fromWholeGib, type FilledChange } from '../domain/fill-gaps.ts'
import type { GapRule } from '../domain/gap-rule.ts'
import { VHD_FOOTER_BYTES } from '../domain/source-disk.ts'
import { sweep, type RangeStream } from '../domain/sweep.ts'
import type { TransferJob } from '../domain/transfer-job.ts'
import type { Change } from '../domain/transfer-plan.ts'
import { chunkDigestsOf } from './chunk-digests.ts'
import type { Engine } from './engine.ts'
import { passOverEqual, type FullChange } from './pass-over-equal.ts'
import { baseBlobOf } from './striped-blob.ts'

export interface ChangeOptions {
  /** Read these ranges again, whatever the diff says. */
  readonly repair?: readonly ByteRange[] | undefined
  readonly signal?: AbortSignal | undefined
}

export function sourceChanges(engine: Engine, job: TransferJob, window: ByteRange, options: ChangeOptions = {}): AsyncIterable<Change> {
  const { repair, signal } = options
  if (repair !== undefined) return repairChanges(engine, job, window, repair, signal)
  if (job.fromSnapshotId === undefined) return fullChanges(engine, job, window, signal)
  if (job.gaps === undefined) return incrementalChanges(engine, job, job.fromSnapshotId, window, signal)
  return filledChanges(engine, job, job.fromSnapshotId, job.gaps, window, signal)
}

function fullChanges(engine: Engine, job: TransferJob, window: ByteRange, signal: AbortSignal | undefined): BatchStream<Change> {
  return laterBatches<Change>(async () => {
    const allocated = await sourcePages(engine, job, window, signal)
    const held = baseBlobOf(engine, job).at(job.baseline).allocated(window, signal)
    const changes = fullChangesOf(sweep({ allocated, held, footer: footerIn(job, window) }))
    if (job.comparison === undefined) return changes
    // The digests know nothing of what was written since.
    const uncertain = leftoversOf(engine, job, window, signal)
    return passOverEqual(changes, uncertain, chunkDigestsOf(engine, job, job.comparison), job.blobBytes, signal)
  })
}

function fullChangesOf(segments: ReturnType<typeof sweep<Record<'allocated' | 'held' | 'footer', RangeStream>>>): BatchStream<FullChange> {
  return throughBatches(segments, ({ startBytes, endBytes, at }, emit: (change: FullChange) => void) => {
    // The footer is always written, so that a verification can rely on it.
    const isHeld = at.held !== undefined && at.footer === undefined
    emit({ kind: at.allocated !== undefined || at.footer !== undefined ? 'copy' : 'clear', startBytes, endBytes, isHeld })
  })
}

/** The same gaps whatever the window is, so that a later attempt and the verification find what the first one planned. */
function filledChanges(
  engine: Engine,
  job: TransferJob,
  fromSnapshotId: string,
  gaps: GapRule,
  window: ByteRange,
  signal: AbortSignal | undefined,
): BatchStream<FilledChange> {
  const whole = fromWholeGib(window)
  const changes = incrementalChanges(engine, job, fromSnapshotId, whole, signal)
  const held = laterBatches(() => sourcePages(engine, job, whole, signal))
  return throughBatches(fillGaps(changes, held, gaps), (change, emit: (change: FilledChange) => void) => {
    const inside = clip(change, window)
    if (inside !== undefined) emit({ ...change, ...inside })
  })
}

/** Gaps between changes that a transfer copies along. */
export function filledGaps(engine: Engine, job: TransferJob, window: ByteRange, signal?: AbortSignal): RangeStream {
  const { fromSnapshotId, gaps } = job
  if (fromSnapshotId === undefined || gaps === undefined) return []
  return throughBatches(filledChanges(engine, job, fromSnapshotId, gaps, window, signal), (change, emit: (range: ByteRange) => void) => {
    if (change.isFill) emit(change)
  })
}

function incrementalChanges(
  engine: Engine,
  job: TransferJob,
  fromSnapshotId: string,
  window: ByteRange,
  signal: AbortSignal | undefined,
): BatchStream<Change> {
  const oldFooter = job.oldFooter === undefined ? [] : within(window, [job.oldFooter])
  const mend = within(window, job.mend ?? [])
  const mustAskPages = job.leftoversSince !== undefined || oldFooter.length + mend.length > 0
  const segments = sweep({
    diff: laterBatches(() => sourceDiff(engine, job, fromSnapshotId, window, signal)),
    oldFooter,
    mend,
    leftovers: leftoversOf(engine, job, window, signal),
    allocated: mustAskPages ? laterBatches(() => sourcePages(engine, job, window, signal)) : [],
    footer: footerIn(job, window),
  })
  return throughBatches(segments, ({ startBytes, endBytes, at }, emit: (change: Change) => void) => {
    if (at.footer !== undefined) emit({ kind: 'copy', startBytes, endBytes })
    else if (at.diff !== undefined) emit({ kind: at.diff.kind, startBytes, endBytes })
    else if (at.leftovers !== undefined || at.oldFooter !== undefined || at.mend !== undefined) {
      emit({ kind: at.allocated === undefined ? 'clear' : 'copy', startBytes, endBytes })
    }
  })
}

async function* repairChanges(
  engine: Engine,
  job: TransferJob,
  window: ByteRange,
  ranges: readonly ByteRange[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Change> {
  const allocated = await sourcePages(engine, job, window, signal)
  for await (const { startBytes, endBytes, at } of sweep({ again: within(window, ranges), allocated, footer: footerIn(job, window) })) {
    if (at.again === undefined) continue
    yield { kind: at.allocated !== undefined || at.footer !== undefined ? 'copy' : 'clear', startBytes, endBytes }
  }
}

/** What the source says of the difference to the cursor. */
export async function sourceDiff(
  engine: Engine,
  job: TransferJob,
  fromSnapshotId: string,
  window: ByteRange,
  signal?: AbortSignal,
): Promise<AsyncGenerator<Change>> {
  const { url, previousUrl } = await engine.exports.readBoth(job.toSnapshotId, fromSnapshotId, signal, job.blobBytes)
  const source: PageListSource = { url, auth: 'sas' }
  return engine.pageLists.managedDiskDiff(source, previousUrl, window, signal)
}

/** Allocated pages of the source snapshot. Its list may leave the footer out; use `footerIn` beside it. */
export async function sourcePages(engine: Engine, job: TransferJob, window: ByteRange, signal?: AbortSignal): Promise<AsyncGenerator<ByteRange>> {
  const url = await engine.exports.read(job.toSnapshotId, signal, job.blobBytes)
  return engine.pageLists.allocated({ url, auth: 'sas' }, window, signal)
}

/** What was written to the base blob between the last point and this run: no point holds it. */
export function leftoversOf(engine: Engine, job: TransferJob, window: ByteRange, signal?: AbortSignal): RangeStream {
  const { leftoversSince, baseline } = job
  return leftoversSince === undefined ? [] : baseBlobOf(engine, job).at(baseline).changedSince(leftoversSince, window, signal)
}

/** The last 512 bytes of the blob. A diff may or may not report them; without them the blob is no disk. */
export function footerOf(job: TransferJob): ByteRange {
  return { startBytes: job.blobBytes - VHD_FOOTER_BYTES, endBytes: job.blobBytes }
}

export function footerIn(job: TransferJob, window: ByteRange): ByteRange[] {
  return within(window, [footerOf(job)])
}

export function within(window: ByteRange, ranges: readonly ByteRange[]): ByteRange[] {
  return ranges.map((range) => clip(range, window)).filter((range) => range !== undefined)
}
