/**
 * Which gaps between changes are worth copying along: as many as it takes to draw on both budgets of the blob evenly, so that
 * the transfer is as short as it can be. The shortest first, since each saves one request and costs its length.
 *
 * A filled gap costs bytes that did not change, in the diff of the next point as well, so nothing is filled where the
 * requests are few.
 */
import { BLOB_BYTES_PER_SECOND, BLOB_REQUESTS_PER_SECOND, secondsAtLimit } from './blob-budget.ts'
import { lengthOf, PAGE_BYTES, type ByteRange } from './byte-range.ts'

/** Shorter gaps are filled, longer ones are not; of those that are just as long a share is. */
export interface GapRule {
  readonly maxBytes: number
  /** More than 0, at most 1. */
  readonly shareOfLongest: number
}

/** These take as much time as a request does: about 120 KiB. */
const BYTES_FOR_A_REQUEST = BLOB_BYTES_PER_SECOND / BLOB_REQUESTS_PER_SECOND
export const LARGEST_GAP_BYTES = Math.floor(BYTES_FOR_A_REQUEST / PAGE_BYTES) * PAGE_BYTES

/** Whatever could pay off. */
export const ALL_GAPS: GapRule = { maxBytes: LARGEST_GAP_BYTES, shareOfLongest: 1 }

/** Ten seconds at the limit of a blob: what is done sooner need not move anything that did not change. */
const FEWEST_REQUESTS = 5_000

/** 2^32 divided by the golden ratio: multiples of it, cut to 32 bits, spread evenly, for any regular stride of gaps too. */
const GOLDEN_RATIO_32 = 0x9e3779b1

export interface ChangeCounts {
  readonly changedBytes: number
  readonly ranges: number
}

/** Whether it is worth finding out which gaps could be filled. */
export function isBoundByRequests({ changedBytes, ranges }: ChangeCounts): boolean {
  return ranges > FEWEST_REQUESTS && secondsAtLimit(changedBytes, ranges) > secondsAtLimit(changedBytes, 0)
}

/** Follows from the rule and the place of the gap alone, so that whoever asks again is told the same. */
export function isWorthFilling(gap: ByteRange, { maxBytes, shareOfLongest }: GapRule): boolean {
  const lengthBytes = lengthOf(gap)
  return lengthBytes < maxBytes || (lengthBytes === maxBytes && placeInTurn(gap.startBytes) < shareOfLongest)
}

/**
 * The rule by which the transfer is shortest; undefined: no gap is worth it.
 *
 * @param gaps how many gaps of which length could be filled.
 */
export function chooseGapRule({ changedBytes, ranges }: ChangeCounts, gaps: ReadonlyMap<number, number>): GapRule | undefined {
  let best: { rule: GapRule | undefined; seconds: number } = { rule: undefined, seconds: secondsAtLimit(changedBytes, ranges) }
  let bytes = changedBytes
  let requests = ranges
  for (const [gapBytes, count] of [...gaps].sort(([one], [other]) => one - other)) {
    const filled = Math.min(count, fillsUntilEven(bytes, requests, gapBytes))
    const seconds = secondsAtLimit(bytes + filled * gapBytes, requests - filled)
    if (filled > 0 && seconds < best.seconds) best = { rule: { maxBytes: gapBytes, shareOfLongest: filled / count }, seconds }
    bytes += count * gapBytes
    requests -= count
  }
  return best.rule
}

/** How many gaps of this length can be filled before bytes bind. */
function fillsUntilEven(bytes: number, requests: number, gapBytes: number): number {
  const spareBytes = requests * BYTES_FOR_A_REQUEST - bytes
  return Math.max(0, Math.floor(spareBytes / (gapBytes + BYTES_FOR_A_REQUEST)))
}

/** From 0 to below 1. */
function placeInTurn(offsetBytes: number): number {
  return (Math.imul(offsetBytes / PAGE_BYTES, GOLDEN_RATIO_32) >>> 0) / 2 ** 32
}
