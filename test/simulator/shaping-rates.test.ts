import { afterAll, expect, test } from '@jest/globals'
import { Shaper, type ShapingClock } from '../../simulator/shaping/shaper.ts'
import type { ShapingChange } from '../../simulator/shaping/shaping-settings.ts'
import { page, startBlobFixture } from './blob-fixture.ts'

const MIB = 2 ** 20

/** Time that stands still until everybody waits for it, and then jumps to whoever waits shortest. */
function simulatedClock(): ShapingClock & { run(): Promise<void> } {
  let nowMs = 0
  const waiting: { atMs: number; resolve: () => void }[] = []
  return {
    nowMs: () => nowMs,
    waitUntil: (atMs) => new Promise((resolve) => waiting.push({ atMs, resolve })),
    async run() {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve))
        waiting.sort((one, other) => one.atMs - other.atMs)
        const next = waiting.shift()
        if (next === undefined) return
        nowMs = next.atMs
        next.resolve()
      }
    },
  }
}

/** Clients that send one request after another for so long, each to a blob of its own or all to one. */
async function load(change: ShapingChange, options: { clients: number; bytes: number; blobs: number; forMs: number }) {
  const clock = simulatedClock()
  const shaper = new Shaper(change, clock, () => 0.5)
  const clients = Array.from({ length: options.clients }, async (_, client) => {
    const call = { account: 'a', container: 'c', blob: `b${client % options.blobs}`, bytes: options.bytes }
    while (clock.nowMs() < options.forMs) await shaper.before(call).catch(() => clock.waitUntil(clock.nowMs() + 10))
  })
  await clock.run()
  await Promise.all(clients)
  return { ...shaper.stats(), seconds: clock.nowMs() / 1000 }
}

test('the profile of Azure lets 60 MiB a second through one blob, whoever asks for them', async () => {
  for (const clients of [2, 8, 14]) {
    const { bytes, seconds } = await load('azure', { clients, bytes: 4 * MIB, blobs: 1, forMs: 20_000 })
    expect(Math.abs(bytes / seconds / (60 * MIB) - 1)).toBeLessThan(0.02)
  }
})

test('the profile of Azure lets 500 requests a second through one blob, and twice as many through two', async () => {
  for (const blobs of [1, 2]) {
    const { admitted, seconds } = await load('azure', { clients: 64, bytes: 512, blobs, forMs: 20_000 })
    expect(Math.abs(admitted / seconds / (500 * blobs) - 1)).toBeLessThan(0.02)
  }
})

test('the rate of an account holds for all of its blobs together', async () => {
  const { bytes, seconds } = await load(
    { account: { bytesPerSecond: 10 * MIB } },
    { clients: 8, bytes: MIB, blobs: 4, forMs: 20_000 },
  )
  expect(Math.abs(bytes / seconds / (10 * MIB) - 1)).toBeLessThan(0.02)
})

test('more than the queue holds is refused, and what is refused costs nothing of the rate', async () => {
  const shaping = { blob: { requestsPerSecond: 100 }, queueMs: 50 }
  const { admitted, refused, seconds } = await load(shaping, { clients: 50, bytes: 512, blobs: 1, forMs: 10_000 })
  expect(refused).toBeGreaterThan(0)
  expect(Math.abs(admitted / seconds / 100 - 1)).toBeLessThan(0.02)
})

test('latency is added to every request and takes nothing of the rate', async () => {
  const one = await load({ latencyMs: 10, jitterMs: 10 }, { clients: 1, bytes: 0, blobs: 1, forMs: 15_000 })
  expect(one.admitted / one.seconds).toBeCloseTo(1000 / 15, 0)
})

test('a setting that does not exist is refused', () => {
  expect(() => new Shaper({ blob: { bytes: 1 } } as object)).toThrow('bytes')
})

const closers: (() => Promise<void>)[] = []
afterAll(() => Promise.all(closers.map((close) => close())))

test('the service answers 503 ServerBusy over the limit', async () => {
  const shaper = new Shaper()
  const fixture = await startBlobFixture({ shaper })
  closers.push(() => fixture.close())
  await fixture.call('PUT', 'disks?restype=container')
  const create = { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': String(MIB) }
  await fixture.call('PUT', 'disks/base', create)
  const write = () =>
    fixture.call('PUT', 'disks/base?comp=page', { 'x-ms-page-write': 'update', 'x-ms-range': 'bytes=0-511' }, page(1))

  shaper.change({ blob: { requestsPerSecond: 20 }, queueMs: 0 })
  const answers = await Promise.all(Array.from({ length: 20 }, write))
  expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(1)
  const refused = answers.filter(({ status }) => status !== 201)
  expect(new Set(refused.map(({ status, code }) => `${status} ${code}`))).toEqual(new Set(['503 ServerBusy']))
})
