/** An incremental of a million ranges: what the worker holds in memory, and what Temporal has to remember. */
import { GIB, KIB } from '../domain/byte-range.ts'
import type { Row } from './row.ts'
import type { Scatter } from './scattered-ranges.ts'
import type { Setting } from './setting.ts'

const RANGE_BYTES = 512
/** As many places for ranges as ranges, twice over. */
const BYTES_PER_RANGE = 4 * KIB
/**
 * What docs/operations.md advises where memory is scarce. Without it V8 lets garbage lie until a quarter of a gigabyte has
 * gathered, wherever the machine has it: then the figure would tell of the machine and not of the work.
 */
export const SPARING_HEAP = ['--max-old-space-size=96', '--max-semi-space-size=4']
/** Without it each thread of a worker keeps memory of its own that it once needed (mallopt(3), M_ARENA_MAX). */
export const SPARING_ENV = { MALLOC_ARENA_MAX: '2' }
const MOST = { memoryBytes: 300e6, events: 2_000, historyBytes: 2e6 }

export async function measureMillionRanges(setting: Setting, { ranges }: { ranges: number }): Promise<Row[]> {
  const { azure, worker } = setting
  const overBytes = ranges * BYTES_PER_RANGE
  const diskId = await setting.createDisk('million', Math.ceil(overBytes / GIB))
  await setting.fill(diskId, 0, overBytes)
  await setting.backUp(diskId)
  const scatter: Scatter = { ranges, rangeBytes: RANGE_BYTES, overBytes, seed: 1 }
  await azure.order('scatter', { diskId, scatter })
  const { history, point } = await setting.backUp(diskId)
  const memoryBytes = await worker.peakMemoryBytes()
  const name = `incremental of ${ranges.toLocaleString('en')} ranges of ${RANGE_BYTES} bytes, on a worker with a heap of 96 MB`
  const limit = `${MOST.memoryBytes / 1e6} MB of memory, ${MOST.events.toLocaleString('en')} events, ${MOST.historyBytes / 1e6} MB of history`
  if (memoryBytes === undefined) {
    return [{ name, ours: 'this system does not tell the memory of a process', limit, bindsBy: 'memory of the worker', atMost: 1 }]
  }
  const shares = {
    'memory of the worker': memoryBytes / MOST.memoryBytes,
    'events of the history': history.events / MOST.events,
    'size of the history': history.bytes / MOST.historyBytes,
  }
  const [bindsBy, ratio] = Object.entries(shares).sort(([, one], [, other]) => other - one)[0]!
  return [
    {
      name,
      ours:
        `${(memoryBytes / 1e6).toFixed(0)} MB at the peak, ${history.events} events, ${(history.bytes / 1e6).toFixed(3)} MB of history; ` +
        `${point.requests.toLocaleString('en')} requests in ${history.transferSeconds.toFixed(0)} s`,
      limit,
      bindsBy,
      ratio,
      atMost: 1,
    },
  ]
}
