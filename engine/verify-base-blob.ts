/**
 * Proves, as far as the policy asks, that the base blob equals the source snapshot.
 *
 *  1. Coverage: what the base blob's *own* diff says was written since its baseline is exactly what was planned. An identical
 *     rewrite counts as written, so a wrong offset or a lost page of ranges shows at the cost of a listing.
 *  2. Page lists: source and base blob have the same pages.
 *  3. Footer: read on both sides, equal, and a VHD footer.
 *  4. Samples (at level `source` of the changed pages all): chunks of changed and of unchanged pages are read on both sides. A changed chunk that differs makes all
 *     changed pages be read, an unchanged one all pages: one wrong chunk is seldom alone. So does a page that is listed as
 *     written and that nobody planned: a list in a coarse grain may have hidden a page from an attempt that was resumed.
 *     What differs without having been written is named by whole chunks: the last point may share the damage, so the digest of
 *     such a chunk must not be computed from what that point holds.
 *
 * It changes nothing. What it names goes back to the transfer. From the second round on, ranges that only the lists complain of are
 * read and accepted where the bytes are equal, so an endpoint that keeps its lists in another grain cannot hold up a right copy.
 */
import { readSource } from '../azure/source-blob.ts'
import { laterBatches, throughBatches, type BatchStream } from '../domain/batches.ts'
import { coarsen, lengthOf, type ByteRange } from '../domain/byte-range.ts'
import { wholeChunks } from '../domain/digest-table.ts'
import { BackupError } from '../domain/failures.ts'
import { createSampler, seededRandom } from '../domain/sampler.ts'
import { sweep } from '../domain/sweep.ts'
import type { TransferJob } from '../domain/transfer-job.ts'
import type { VerifyRule } from '../domain/policy.ts'
import { hasVhdCookie } from '../domain/vhd-footer.ts'
import { compareBytes, type Comparison, type ReadRange } from './compare-bytes.ts'
import { filledGaps, footerIn, footerOf, leftoversOf, sourceDiff, sourcePages, within } from './source-changes.ts'
import { writtenBy } from './backup-route.ts'
import { baseBlobOf } from './striped-blob.ts'
import type { Engine } from './engine.ts'
import { requireAllHeld } from './hold-stripes.ts'

export interface VerifyOptions {
  readonly rule: VerifyRule
  /** 1 for the first. */
  readonly round: number
  /** Ranges that earlier rounds sent back: they were read again, so finding them written is no surprise. */
  readonly repaired: readonly ByteRange[]
  readonly onProgress?: (checkedBytes: number) => void
  readonly signal?: AbortSignal | undefined
}

export interface VerifyReport {
  /** Empty: the base blob is consistent. A cover of what differs, small enough for workflow history. */
  readonly mismatches: readonly ByteRange[]
  /** Of those, whole chunks with pages that differ although neither side says that they changed: older points may share them. Absent: none. */
  readonly rotten?: readonly ByteRange[]
  readonly writtenBytes: number
  readonly comparedBytes: number
  readonly sampledChunks: number
}

const MAX_REPORTED_RANGES = 256
/** Big enough to catch a wrong offset, small enough that 32 of them cost 2 MiB a side. */
const SAMPLE_BYTES = 64 * 1024

const NOTHING: Comparison = { comparedBytes: 0, differing: [] }

type Stretch = ByteRange & { readonly kind: 'changed' | 'unchanged' | 'suspect' | 'stray' }

/** @throws BackupError FencedOut where another run has taken the base blob over; VerificationFailed where the source is no image of a disk. */
export async function verifyBaseBlob(engine: Engine, job: TransferJob, options: VerifyOptions): Promise<VerifyReport> {
  const { rule, round, signal } = options
  const random = seededRandom(job.epoch * 31 + round)
  const changedSample = createSampler(rule.sampleChanged, SAMPLE_BYTES, random)
  const unchangedSample = createSampler(rule.sampleUnchanged, SAMPLE_BYTES, random)
  const suspects: ByteRange[] = []
  let writtenBytes = 0
  let hasStrayWrites = false

  for await (const stretch of stretches(engine, job, options)) {
    if (stretch.kind === 'changed') writtenBytes += lengthOf(stretch)
    if (stretch.kind === 'stray') hasStrayWrites = true
    if (stretch.kind === 'suspect' || stretch.kind === 'stray') suspects.push(stretch)
    else (stretch.kind === 'changed' ? changedSample : unchangedSample).offer(stretch)
    if (suspects.length > 2 * MAX_REPORTED_RANGES) suspects.splice(0, suspects.length, ...coarsen(suspects, MAX_REPORTED_RANGES))
    options.onProgress?.(stretch.endBytes)
  }

  const sourceUrl = await engine.exports.read(job.toSnapshotId, signal, job.blobBytes)
  const base = baseBlobOf(engine, job)
  const expected: ReadRange = (range, readSignal) => readSource(engine.azure, sourceUrl, range, readSignal)
  const actual: ReadRange = (range, readSignal) => base.read(range, readSignal)
  const compare = (ranges: AsyncIterable<ByteRange> | Iterable<ByteRange>): ReturnType<typeof compareBytes> =>
    compareBytes(ranges, expected, actual, { signal, ...(options.onProgress && { onProgress: options.onProgress }) })

  const footer = footerOf(job)
  await requireFooter(job, readSource(engine.azure, sourceUrl, footer, signal))
  const listed = round === 1 ? { comparedBytes: 0, differing: suspects } : await compare(suspects)
  const footers = await compare([footer])
  const isEveryChangeRead = rule.level === 'source'
  const changed = await compare(isEveryChangeRead ? filter(stretches(engine, job, options), (kind) => kind === 'changed') : changedSample.chunks())
  const unchanged = await compare(unchangedSample.chunks())
  const hasRotten = unchanged.differing.length > 0
  const isSampleEnough = isEveryChangeRead || (changed.differing.length === 0 && !hasRotten && !hasStrayWrites)
  const allChanged = isSampleEnough ? NOTHING : await compare(filter(stretches(engine, job, options), (kind) => kind === 'changed'))
  const allUnchanged = hasRotten ? await compare(filter(stretches(engine, job, options), (kind) => kind === 'unchanged')) : NOTHING

  const rotten = coarsen(wholeChunks([...unchanged.differing, ...allUnchanged.differing], job.blobBytes), MAX_REPORTED_RANGES)
  const comparisons = [listed, footers, changed, unchanged, allChanged, allUnchanged]
  const report = {
    mismatches: coarsen([...comparisons.flatMap((comparison) => comparison.differing), ...rotten], MAX_REPORTED_RANGES),
    ...(rotten.length > 0 && { rotten }),
    writtenBytes,
    comparedBytes: comparisons.reduce((sum, comparison) => sum + comparison.comparedBytes, 0),
    sampledChunks: changedSample.chunks().length + unchangedSample.chunks().length,
  }
  // What another run has written is neither damage nor anything to mend.
  if (report.mismatches.length > 0) await requireAllHeld(base.stripes, job.epoch, signal)
  return report
}

/** The whole blob as changed, unchanged (but allocated), suspect and stray (written, not planned) stretches, from the lists side by side. */
function stretches(engine: Engine, job: TransferJob, options: VerifyOptions): BatchStream<Stretch> {
  const { signal } = options
  const window = { startBytes: 0, endBytes: job.blobBytes }
  const base = baseBlobOf(engine, job)
  return laterBatches(async () => {
    const planned = job.fromSnapshotId === undefined ? sourcePages(engine, job, window, signal) : sourceDiff(engine, job, job.fromSnapshotId, window, signal)
    const segments = sweep({
      planned: await planned,
      filled: filledGaps(engine, job, window, signal),
      source: await sourcePages(engine, job, window, signal),
      base: base.allocated(window, signal),
      written: writtenBy(job, base, window, signal),
      leftovers: leftoversOf(engine, job, window, signal),
      repaired: options.repaired,
      oldFooter: job.oldFooter === undefined ? [] : [job.oldFooter],
      mend: job.fromSnapshotId === undefined ? [] : within(window, job.mend ?? []),
      footer: footerIn(job, window),
    })
    return throughBatches(segments, ({ startBytes, endBytes, at }, emit: (stretch: Stretch) => void) => {
      const isSourcePage = at.source !== undefined || at.footer !== undefined
      // The diff says nothing of these, so they are read again wherever the source holds something.
      const isReadAgain = at.leftovers !== undefined || at.oldFooter !== undefined || at.mend !== undefined
      const isCopyPlanned =
        at.footer !== undefined || at.filled !== undefined || (at.planned === undefined ? isReadAgain && isSourcePage : !('kind' in at.planned && at.planned.kind === 'clear'))
      const isRewriteExplained = isCopyPlanned || isReadAgain || at.repaired !== undefined
      const isWritten = at.written !== undefined
      // A reseed that compares leaves out what it found equal; a sample of that is read like any other unchanged page.
      const mayBeLeftOut = job.comparison !== undefined && at.footer === undefined
      const agrees = isSourcePage === (at.base !== undefined) && (isWritten || !isCopyPlanned || mayBeLeftOut)
      if (isWritten && !isRewriteExplained) emit({ kind: 'stray', startBytes, endBytes })
      else if (!agrees) emit({ kind: 'suspect', startBytes, endBytes })
      else if (isWritten) emit({ kind: 'changed', startBytes, endBytes })
      else if (isSourcePage) emit({ kind: 'unchanged', startBytes, endBytes })
    })
  })
}

function filter(stream: AsyncIterable<Stretch>, keep: (kind: Stretch['kind']) => boolean): BatchStream<ByteRange> {
  return throughBatches(stream, (stretch, emit: (range: ByteRange) => void) => {
    if (keep(stretch.kind)) emit(stretch)
  })
}

async function requireFooter(job: TransferJob, footer: Promise<Uint8Array>): Promise<void> {
  if (hasVhdCookie(await footer)) return
  throw new BackupError({
    type: 'VerificationFailed',
    message: `the export of ${job.toSnapshotId} does not end with a VHD footer, so it is no image of a disk; no point was made`,
    facts: { snapshotId: job.toSnapshotId },
  })
}
