import { expect, test } from '@jest/globals'
import { RunMap } from '../../simulator/store/run-map.ts'
import { allocatedSpans, changedSpans } from '../../simulator/store/run-spans.ts'

const RANGES = 1_000_000
const RANGE_BYTES = 4096
const STRIDE_BYTES = 8 * 2 ** 20

/** A permutation of 0 … RANGES-1 that jumps about; the factor shares no divisor with the count. */
const scattered = (index: number) => (index * 618_033) % RANGES

function first<Item>(items: Iterable<Item>, count: number): Item[] {
  const taken: Item[] = []
  for (const item of items) {
    taken.push(item)
    if (taken.length === count) break
  }
  return taken
}

test('a million scattered ranges fit in 150 MB of heap and a page of the list begins anywhere at once', () => {
  const heapBefore = process.memoryUsage().heapUsed
  const runs = new RunMap()
  for (let index = 0; index < RANGES; index += 1) {
    const start = scattered(index) * STRIDE_BYTES
    runs.replace(start, start + RANGE_BYTES, index * RANGE_BYTES)
  }
  expect(runs.coveredBytes).toBe(RANGES * RANGE_BYTES)
  const before = runs.snapshot()
  const startedMs = performance.now()
  const middle = (RANGES / 2) * STRIDE_BYTES
  const page = first(allocatedSpans(before, middle, Infinity), 10_000)
  expect(page[0]).toEqual({ startBytes: middle, endBytes: middle + RANGE_BYTES - 1 })
  runs.replace(middle, middle + 512, RANGES * RANGE_BYTES)
  expect([...changedSpans(runs, before, 0, Infinity)]).toEqual([
    { startBytes: middle, endBytes: middle + 511, isClear: false },
  ])
  const tookMs = performance.now() - startedMs
  expect(tookMs).toBeLessThan(500)
  expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(150e6)
})
