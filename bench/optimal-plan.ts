/**
 * The shortest time in which any plan of requests could bring scattered changes into one page blob: what the rows of
 * scattered changes are held against. It takes nothing from the product's own planner but its two budgets.
 *
 * A plan may copy the gap between two changes along; that saves a request and costs the bytes of the gap. Of all plans
 * that fill `n` gaps, the one with the `n` smallest moves the least, so it is enough to try each `n`. Gaps of 4 MiB and
 * more never save a request. How requests fall on the limit of 4 MiB is counted as if it always came out even, so no plan
 * is faster than this, and some are slower.
 */
import { lengthOf, MAX_WRITE_BYTES, totalBytes, type ByteRange } from '../domain/byte-range.ts'

export interface Budgets {
  readonly bytesPerSecond: number
  readonly requestsPerSecond: number
}

export interface OptimalPlan {
  readonly seconds: number
  readonly requests: number
  readonly movedBytes: number
}

/** @param changes sorted and disjoint; everything between them is held by the source. */
export function optimalPlan(changes: readonly ByteRange[], budgets: Budgets): OptimalPlan {
  let movedBytes = totalBytes(changes)
  let best = planOf(changes.length, movedBytes, budgets)
  const gaps = gapsBetween(changes).filter((gapBytes) => gapBytes < MAX_WRITE_BYTES)
  for (const [index, gapBytes] of gaps.sort((one, other) => one - other).entries()) {
    movedBytes += gapBytes
    const plan = planOf(changes.length - index - 1, movedBytes, budgets)
    if (plan.seconds < best.seconds) best = plan
  }
  return best
}

function gapsBetween(changes: readonly ByteRange[]): number[] {
  return changes.slice(1).map(({ startBytes }, index) => startBytes - changes[index]!.endBytes)
}

function planOf(runs: number, movedBytes: number, { bytesPerSecond, requestsPerSecond }: Budgets): OptimalPlan {
  const requests = Math.max(runs, Math.ceil(movedBytes / MAX_WRITE_BYTES))
  return { seconds: Math.max(movedBytes / bytesPerSecond, requests / requestsPerSecond), requests, movedBytes }
}

/** What a plan with exactly these runs takes, for comparison: each run is cut into requests of at most 4 MiB. */
export function secondsOf(runs: readonly ByteRange[], { bytesPerSecond, requestsPerSecond }: Budgets): number {
  const requests = runs.reduce((sum, run) => sum + Math.ceil(lengthOf(run) / MAX_WRITE_BYTES), 0)
  return Math.max(totalBytes(runs) / bytesPerSecond, requests / requestsPerSecond)
}
