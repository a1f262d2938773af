import { setMaxListeners } from 'node:events'
import { stderr } from 'node:process'
import { describe, expect, test } from '@jest/globals'
import { KIB, MIB } from '../../domain/byte-range.ts'
import { BLOB_BYTES_PER_SECOND, BLOB_REQUESTS_PER_SECOND } from '../../domain/blob-budget.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { HIGHEST_LIMIT } from '../../engine/adaptive-limit.ts'
import { FlowControl, type Flow, type FlowCaps } from '../../engine/flow-control.ts'
import { failure } from './support/transfer-attempt.ts'
import { createVirtualClock, type VirtualClock } from './support/virtual-clock.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const never = new AbortController().signal
// Each request in flight listens.
setMaxListeners(0, never)

interface LineOptions {
  readonly bytesPerSecond?: number
  readonly requestsPerSecond?: number
  readonly latencyMs?: number
  /** What would wait longer is refused. */
  readonly queueMs?: number
  /** Decides over refusals at random. */
  readonly isRefused?: () => boolean
  readonly retryAfterMs?: number
}

/** A page blob in virtual time. */
function createLine(clock: VirtualClock, options: LineOptions = {}) {
  const { bytesPerSecond = BLOB_BYTES_PER_SECOND, requestsPerSecond = BLOB_REQUESTS_PER_SECOND } = options
  const { latencyMs = 15, queueMs = 1000, isRefused = () => false, retryAfterMs } = options
  let freeAtMs = 0
  const line = {
    inFlight: 0,
    most: 0,
    refusals: 0,
    startedAtMs: [] as number[],
    async send(bytes: number): Promise<void> {
      line.startedAtMs.push(clock.nowMs())
      line.most = Math.max(line.most, ++line.inFlight)
      try {
        const nowMs = clock.nowMs()
        if (isRefused() || freeAtMs - nowMs > queueMs) {
          line.refusals += 1
          await clock.sleep(latencyMs)
          throw failure('AzureThrottled', retryAfterMs)
        }
        freeAtMs = Math.max(freeAtMs, nowMs) + 1000 * Math.max(bytes / bytesPerSecond, 1 / requestsPerSecond)
        await clock.sleep(freeAtMs - nowMs + latencyMs)
      } finally {
        line.inFlight -= 1
      }
    },
  }
  return line
}

type Line = ReturnType<typeof createLine>

/** Sends `count` requests of a size, as many at a time as the flow allows; answers how long it took. */
async function sendAll(clock: VirtualClock, flow: Flow, line: Pick<Line, 'send'>, count: number, bytes: number): Promise<number> {
  const startedAtMs = clock.nowMs()
  let left = count
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await flow.send(bytes, () => line.send(bytes), never)
    }
  }
  await Promise.all(Array.from({ length: HIGHEST_LIMIT }, one))
  return (clock.nowMs() - startedAtMs) / 1000
}

async function rateOver(options: LineOptions, count: number, bytes: number, caps: FlowCaps = {}) {
  const clock = createVirtualClock()
  const line = createLine(clock, options)
  const flow = new FlowControl(caps, clock).open('blob')
  const seconds = await clock.run(sendAll(clock, flow, line, count, bytes))
  return { line, seconds, requestsPerSecond: count / seconds, mibPerSecond: (count * bytes) / MIB / seconds }
}

describe('a blob of 60 MiB/s and 500 requests/s', () => {
  test.each([
    ['4 MiB', 4 * MIB, 600, (rate: { mibPerSecond: number }) => rate.mibPerSecond / 60],
    ['4 KiB', 4 * KIB, 20_000, (rate: { requestsPerSecond: number }) => rate.requestsPerSecond / 500],
  ])('is filled by requests of %s, and not asked for more than it can do', async (_size, bytes, count, shareOf) => {
    const rate = await rateOver({}, count, bytes)
    expect(shareOf(rate)).toBeGreaterThan(0.97)
    expect(rate.line.refusals).toBe(0)
  })

  test('far away, with 150 ms to each answer, is filled as well', async () => {
    const { requestsPerSecond, line } = await rateOver({ latencyMs: 150, requestsPerSecond: 300 }, 20_000, 4 * KIB)
    expect(requestsPerSecond).toBeGreaterThan(0.95 * 300)
    expect(line.most).toBeLessThanOrEqual(HIGHEST_LIMIT)
  })

  test.each([[4 * MIB, 1000], [4 * KIB, 20_000]])('that refuses 5 % of all requests (%i bytes each) is still used to 85 %', async (bytes, count) => {
    const random = seededRandom(SEED)
    const undisturbed = await rateOver({}, count, bytes)
    const disturbed = await rateOver({ isRefused: () => random() < 0.05 }, count, bytes)
    stderr.write(`seed ${SEED}: ${((100 * undisturbed.seconds) / disturbed.seconds).toFixed(1)} % of the rate with 5 % refused\n`)
    expect(undisturbed.seconds / disturbed.seconds).toBeGreaterThan(0.85)
  })

  test.each([20_000, 20_250, 20_500, 20_750])('that answers later after a pause is filled again soon, behind %i requests', async (before) => {
    const clock = createVirtualClock()
    const flow = new FlowControl({}, clock).open('blob')
    const sent = async (): Promise<number> => {
      await sendAll(clock, flow, createLine(clock, { latencyMs: 2 }), before, 4 * KIB)
      await clock.sleep(10_000)
      return sendAll(clock, flow, createLine(clock, { latencyMs: 60 }), 2_000, 4 * KIB)
    }
    const rate = 2_000 / (await clock.run(sent()))
    expect(rate).toBeGreaterThan(0.8 * 500)
  })

  test('with a short queue is not driven into refusals again and again', async () => {
    const { line, requestsPerSecond } = await rateOver({ queueMs: 20 }, 20_000, 4 * KIB)
    expect(requestsPerSecond).toBeGreaterThan(0.9 * 500)
    expect(line.refusals).toBeLessThan(0.02 * 20_000)
  })
})

describe('throttling', () => {
  test('halves what is in flight, once for all that were refused together', async () => {
    const clock = createVirtualClock()
    let isBusy = false
    const line = createLine(clock, { isRefused: () => isBusy })
    const flow = new FlowControl({}, clock).open('blob')
    const sending = sendAll(clock, flow, line, 2000, 4 * KIB)
    await clock.run(Promise.race([sending, clock.sleep(2000)]))
    const before = line.inFlight
    isBusy = true
    await clock.run(clock.sleep(20))
    isBusy = false
    // What was in flight at the time has been answered, and a round has not yet passed.
    await clock.run(clock.sleep(30))
    expect(before).toBeGreaterThanOrEqual(8)
    expect(line.refusals).toBeGreaterThanOrEqual(5)
    expect(line.inFlight).toBe(Math.floor(before / 2))
    await clock.run(sending)
  })

  test('keeps everything to the blob back for as long as Azure asks, and other blobs not', async () => {
    const clock = createVirtualClock()
    let refusals = 1
    const line = createLine(clock, { isRefused: () => refusals-- > 0, retryAfterMs: 5000 })
    const other = createLine(clock)
    const control = new FlowControl({}, clock)
    await clock.run(
      Promise.all([
        sendAll(clock, control.open('blob'), line, 100, 4 * KIB),
        sendAll(clock, control.open('other'), other, 100, 4 * KIB),
      ]),
    )
    const refusedAtMs = 15
    expect(line.startedAtMs.filter((atMs) => atMs > refusedAtMs + 5 && atMs < refusedAtMs + 5000)).toEqual([])
    expect(Math.max(...other.startedAtMs)).toBeLessThan(5000)
  })
})

describe('what is sent together', () => {
  test('two extents of a blob get the same share of it', async () => {
    const clock = createVirtualClock()
    const line = createLine(clock)
    const control = new FlowControl({}, clock)
    const [early, late] = [control.open('blob'), control.open('blob')]
    const first = sendAll(clock, early, line, 2000, 4 * KIB)
    await clock.run(clock.sleep(500))
    const counts = { early: 0, late: 0 }
    const counting = (name: keyof typeof counts) => ({ send: (bytes: number) => ((counts[name] += 1), line.send(bytes)) })
    const both = Promise.all([
      sendAll(clock, early, counting('early'), 1000, 4 * KIB),
      sendAll(clock, late, counting('late'), 1000, 4 * KIB),
    ])
    await clock.run(first)
    await clock.run(clock.sleep(100))
    expect(counts.late).toBeGreaterThan(0.9 * counts.early)
    await clock.run(both)
  })

  test('a cap of the worker holds for all blobs together, a cap of a policy for its own', async () => {
    const clock = createVirtualClock()
    const control = new FlowControl({ maxMibPerSecond: 40, maxRequestsPerSecond: 1000 }, clock)
    const cap = { name: 'nightly', maxMibPerSecond: 10 }
    const flows = [control.open('one', cap), control.open('two', cap), control.open('three')]
    const seconds = await clock.run(Promise.all(flows.map((flow) => sendAll(clock, flow, createLine(clock), 50, 4 * MIB))))
    expect(400 / Math.max(seconds[0]!, seconds[1]!)).toBeCloseTo(10, 0)
    expect(200 / seconds[2]!).toBeGreaterThan(25)
    expect(200 / seconds[2]!).toBeLessThan(40)
  })

  test('a cap on requests holds', async () => {
    const { requestsPerSecond } = await rateOver({}, 500, 4 * KIB, { maxRequestsPerSecond: 50 })
    expect(requestsPerSecond).toBeGreaterThan(49)
    expect(requestsPerSecond).toBeLessThan(51)
  })
})

test('a request that is cancelled while it waits for its turn is not sent, and blocks nobody', async () => {
  const clock = createVirtualClock()
  const line = createLine(clock)
  const flow = new FlowControl({}, clock).open('blob')
  const aborter = new AbortController()
  const running = [1, 2, 3, 4].map(() => flow.send(MIB, () => line.send(MIB), never))
  const cancelled = flow.send(MIB, () => line.send(MIB), aborter.signal)
  const outcome = expect(cancelled).rejects.toThrow('stopped')
  aborter.abort(new Error('stopped'))
  await outcome
  const next = flow.send(MIB, () => line.send(MIB), never)
  await clock.run(Promise.all([...running, next]))
  expect(line.startedAtMs).toHaveLength(5)
})

test('a flow that was idle while hundreds of others were opened still sends', async () => {
  const flows = new FlowControl()
  const first = flows.open('first')
  await first.send(512, async () => undefined, never)
  for (let index = 0; index < 600; index++) await flows.open(`other ${index}`).send(512, async () => undefined, never)
  expect(await first.send(512, async () => 'sent', never)).toBe('sent')
})

describe('a stream', () => {
  test('reads ahead, so that the source costs no time that the destination has', async () => {
    const clock = createVirtualClock()
    const [source, destination] = [createLine(clock, { latencyMs: 200 }), createLine(clock)]
    const flow = new FlowControl({}, clock).open('blob')
    const bytes = 4 * MIB
    const streamed = async (count: number): Promise<number> => {
      const startedAtMs = clock.nowMs()
      const one = () => flow.stream(bytes, () => source.send(bytes), () => destination.send(bytes), never)
      await Promise.all(Array.from({ length: count }, one))
      return (clock.nowMs() - startedAtMs) / 1000
    }
    const seconds = await clock.run(streamed(600))
    expect((600 * bytes) / BLOB_BYTES_PER_SECOND / seconds).toBeGreaterThan(0.95)
  })

  test('of any number of transfers holds 128 MiB at most', async () => {
    const flows = new FlowControl()
    let held = 0
    let most = 0
    const one = (index: number) =>
      flows.open(`blob ${index % 40}`).stream(
        4 * MIB,
        async () => {
          most = Math.max(most, (held += 4))
          await new Promise((resolve) => setImmediate(resolve))
        },
        async () => {
          await new Promise((resolve) => setImmediate(resolve))
          held -= 4
        },
        never,
      )
    await Promise.all(Array.from({ length: 400 }, (_, index) => one(index)))
    expect(most).toBeGreaterThan(64)
    expect(most).toBeLessThanOrEqual(128)
  })

  test('that is cancelled while it waits for memory blocks nobody', async () => {
    const flow = new FlowControl().open('blob')
    const aborter = new AbortController()
    let free: () => void = () => undefined
    const held = flow.stream(128 * MIB, () => new Promise<void>((resolve) => (free = resolve)), async () => 'first', never)
    const waiting = flow.stream(4 * MIB, async () => undefined, async () => undefined, aborter.signal)
    const next = flow.stream(4 * MIB, async () => undefined, async () => 'next', never)
    aborter.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    free()
    expect(await Promise.all([held, next])).toEqual(['first', 'next'])
  })
})
