/**
 * How large a gap between changes may be to be copied along: as large as it takes to draw on both budgets of the blob
 * evenly, so that the transfer is as short as it can be.
 *
 * A filled gap costs bytes that did not change, in the diff of the next point as well, so nothing is filled where the
 * requests are few.
 */
import { BLOB_BYTES_PER_SECOND, BLOB_REQUESTS_PER_SECOND, secondsAtLimit } from './blob-budget.ts'
import { PAGE_BYTES } from './byte-range.ts'

/** A gap of this size costs as much time in bytes as a request does: about 120 KiB. */
export const LARGEST_GAP_BYTES =
  Math.floor(BLOB_BYTES_PER_SECOND / BLOB_REQUESTS_PER_SECOND / PAGE_BYTES) * PAGE_BYTES

/** Ten seconds at the limit of a blob: what is done sooner need not move anything that did not change. */
const FEWEST_REQUESTS = 5_000

export interface ChangeCounts {
  readonly changedBytes: number
  readonly ranges: number
}

/** Whether it is worth finding out which gaps could be filled. */
export function isBoundByRequests({ changedBytes, ranges }: ChangeCounts): boolean {
  return ranges > FEWEST_REQUESTS && secondsAtLimit(changedBytes, ranges) > secondsAtLimit(changedBytes, 0)
}

/**
 * The limit for which the transfer is shortest; 0: no gap is worth it.
 *
 * @param gaps how many gaps of which length could be filled.
 */
export function chooseGapLimit({ changedBytes, ranges }: ChangeCounts, gaps: ReadonlyMap<number, number>): number {
  let best = { limitBytes: 0, seconds: secondsAtLimit(changedBytes, ranges) }
  let bytes = changedBytes
  let requests = ranges
  for (const [gapBytes, count] of [...gaps].sort(([one], [other]) => one - other)) {
    bytes += count * gapBytes
    requests -= count
    const seconds = secondsAtLimit(bytes, requests)
    if (seconds < best.seconds) best = { limitBytes: gapBytes, seconds }
  }
  return best.limitBytes
}
