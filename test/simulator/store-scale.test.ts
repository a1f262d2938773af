import { expect, test } from '@jest/globals'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RunMap } from '../../simulator/store/run-map.ts'
import { allocatedSpans, changedSpans } from '../../simulator/store/run-spans.ts'

const RANGES = 1_000_000
const RANGE_BYTES = 4096
const STRIDE_BYTES = 8 * 2 ** 20
const MIDDLE_BYTES = (RANGES / 2) * STRIDE_BYTES

/** A permutation of 0 … RANGES-1 that jumps about; the factor shares no divisor with the count. */
const scattered = (index: number) => (index * 618_033) % RANGES

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const heapBytes = () => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

const first = <Item>(items: Iterable<Item>, count: number) => {
  const taken: Item[] = []
  for (const item of items) {
    taken.push(item)
    if (taken.length === count) break
  }
  return taken
}

/** CPU time, since the clock on the wall tells more of the machine's other work. */
const cpuMsOf = (work: () => void) => {
  const before = process.cpuUsage()
  work()
  return process.cpuUsage(before).user / 1000
}

test('a million scattered ranges take less than 150 MB of heap, and a page of their list costs what it holds', () => {
  const heapBefore = heapBytes()
  const runs = new RunMap()
  for (let index = 0; index < RANGES; index += 1) {
    const start = scattered(index) * STRIDE_BYTES
    runs.replace(start, start + RANGE_BYTES, index * RANGE_BYTES)
  }
  expect(runs.coveredBytes).toBe(RANGES * RANGE_BYTES)
  expect(heapBytes() - heapBefore).toBeLessThan(150e6)

  const before = runs.snapshot()
  runs.replace(MIDDLE_BYTES, MIDDLE_BYTES + 512, RANGES * RANGE_BYTES)
  expect([...changedSpans(runs, before, 0, Infinity)]).toEqual([
    { startBytes: MIDDLE_BYTES, endBytes: MIDDLE_BYTES + 511, isClear: false },
  ])

  let count = 0
  const wholeMs = cpuMsOf(() => {
    for (const span of allocatedSpans(before, 0, Infinity)) count += span.startBytes >= 0 ? 1 : 0
  })
  expect(count).toBe(RANGES)
  const pageMs = cpuMsOf(() => {
    const [span] = first(allocatedSpans(before, MIDDLE_BYTES, Infinity), 10_000)
    expect(span?.startBytes).toBe(MIDDLE_BYTES)
  })
  expect(pageMs).toBeLessThan(wholeMs / 4)
})
