import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { ByteRange } from '../../domain/byte-range.ts'
import { runRequests } from '../../engine/request-pool.ts'
import { sortedRanges } from './support/arbitraries.ts'

const KIB_4 = 4096

/** `count` requests of 4 KiB with gaps of the same length. */
const requestsOf = (count: number): ByteRange[] =>
  Array.from({ length: count }, (_, index) => ({ startBytes: 2 * index * KIB_4, endBytes: (2 * index + 1) * KIB_4 }))

async function* streamOf(requests: readonly ByteRange[]): AsyncGenerator<ByteRange> {
  yield* requests
}

/** Resolves or rejects by hand, so that a test decides the order. */
function createGate() {
  const waiting = new Map<ByteRange, { resolve: () => void; reject: (error: Error) => void }>()
  return {
    isWaiting: (request: ByteRange) => waiting.has(request),
    run: (request: ByteRange, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        waiting.set(request, { resolve, reject })
        signal.addEventListener('abort', () => reject(new Error('aborted')))
      }),
    pass: (request: ByteRange) => waiting.get(request)!.resolve(),
    fail: (request: ByteRange, error: Error) => waiting.get(request)!.reject(error),
  }
}

const turn = () => new Promise<void>((resolve) => void setImmediate(resolve))

const anyPool = [sortedRanges, fc.integer({ min: 1, max: 5 }), fc.scheduler()] as const

describe('in whatever order requests end', () => {
  test('the watermark never passes one that is not done, never falls, and ends behind the last', async () => {
    await fc.assert(
      fc.asyncProperty(...anyPool, async (requests, concurrency, scheduler) => {
        const done = new Set<ByteRange>()
        let highest = 0
        const running = runRequests(streamOf(requests), {
          concurrency,
          run: () => scheduler.schedule(Promise.resolve()),
          onDone: (request, watermarkBytes) => {
            done.add(request)
            expect(watermarkBytes).toBeGreaterThanOrEqual(highest)
            for (const each of requests)
              if (!done.has(each)) expect(each.startBytes).toBeGreaterThanOrEqual(watermarkBytes)
            highest = watermarkBytes
          },
        })
        await scheduler.waitFor(running)
        expect(done.size).toBe(requests.length)
        expect(highest).toBe(requests.at(-1)?.endBytes ?? 0)
      }),
    )
  })

  test('no more are in flight than asked for, each is run once, and they start in order', async () => {
    await fc.assert(
      fc.asyncProperty(...anyPool, async (requests, concurrency, scheduler) => {
        const started: ByteRange[] = []
        let inFlight = 0
        let most = 0
        const running = runRequests(streamOf(requests), {
          concurrency,
          run: async (request) => {
            started.push(request)
            most = Math.max(most, ++inFlight)
            await scheduler.schedule(Promise.resolve())
            inFlight -= 1
          },
          onDone: () => undefined,
        })
        await scheduler.waitFor(running)
        expect(started).toEqual(requests)
        expect(most).toBe(Math.min(concurrency, requests.length))
      }),
    )
  })

  test('the first error is thrown, nothing runs any more, and the watermark stays before what failed', async () => {
    await fc.assert(
      fc.asyncProperty(
        ...anyPool,
        fc.array(fc.nat(9), { minLength: 1 }),
        async (requests, concurrency, scheduler, doomed) => {
          fc.pre(doomed.some((index) => index < requests.length))
          const errors: Error[] = []
          let inFlight = 0
          let watermark = 0
          const running = runRequests(streamOf(requests), {
            concurrency,
            run: async (request) => {
              inFlight += 1
              await scheduler.schedule(Promise.resolve())
              inFlight -= 1
              if (!doomed.includes(requests.indexOf(request))) return
              errors.push(new Error(`request at ${request.startBytes} failed`))
              throw errors.at(-1)!
            },
            onDone: (_request, watermarkBytes) => {
              expect(errors).toEqual([])
              watermark = watermarkBytes
            },
          })
          const outcome = await scheduler.waitFor(
            running.then(
              () => undefined,
              (error: unknown) => error,
            ),
          )
          expect(outcome).toBe(errors[0])
          expect(inFlight).toBe(0)
          expect(watermark).toBeLessThanOrEqual(requests[Math.min(...doomed)]!.startBytes)
        },
      ),
    )
  })
})

describe('after the first error', () => {
  test('what is in flight is aborted and waited for, and nothing new is pulled', async () => {
    const requests = requestsOf(5)
    const pulled: ByteRange[] = []
    let isClosed = false
    async function* source(): AsyncGenerator<ByteRange> {
      try {
        for (const request of requests) {
          pulled.push(request)
          yield request
        }
      } finally {
        isClosed = true
      }
    }
    let releaseSlow: (() => void) | undefined
    let hasReturned = false
    const running = runRequests(source(), {
      concurrency: 2,
      run: (request, signal) => {
        if (request === requests[1]) return Promise.reject(new Error('refused'))
        return new Promise((resolve) => signal.addEventListener('abort', () => (releaseSlow = resolve)))
      },
      onDone: () => undefined,
    }).finally(() => (hasReturned = true))
    const outcome = expect(running).rejects.toThrow('refused')
    await turn()
    expect(releaseSlow).toBeDefined()
    expect(hasReturned).toBe(false)
    releaseSlow?.()
    await outcome
    expect(pulled).toEqual(requests.slice(0, 2))
    expect(isClosed).toBe(true)
  })

  test('a source that fails counts as one: what is in flight is aborted', async () => {
    const gate = createGate()
    const [first] = requestsOf(1)
    async function* source(): AsyncGenerator<ByteRange> {
      yield first!
      throw new Error('listing broke')
    }
    await expect(runRequests(source(), { concurrency: 4, run: gate.run, onDone: () => undefined })).rejects.toThrow(
      'listing broke',
    )
  })
})

describe('cancelling', () => {
  test('aborts what is in flight and throws', async () => {
    const gate = createGate()
    const aborter = new AbortController()
    const requests = requestsOf(3)
    const running = runRequests(streamOf(requests), {
      concurrency: 2,
      signal: aborter.signal,
      run: gate.run,
      onDone: () => undefined,
    })
    const outcome = expect(running).rejects.toThrow('aborted')
    await turn()
    aborter.abort()
    await outcome
    expect(gate.isWaiting(requests[2]!)).toBe(false)
  })

  test('before the first request starts none', async () => {
    const started: ByteRange[] = []
    const running = runRequests(streamOf(requestsOf(3)), {
      concurrency: 2,
      signal: AbortSignal.abort(new Error('stopped')),
      run: async (request) => void started.push(request),
      onDone: () => undefined,
    })
    await expect(running).rejects.toThrow('stopped')
    expect(started).toEqual([])
  })
})

test('an old request that hangs holds the watermark, however many behind it are done', async () => {
  const gate = createGate()
  const requests = requestsOf(4)
  const [oldest, ...others] = requests
  const watermarks: number[] = []
  const running = runRequests(streamOf(requests), {
    concurrency: 4,
    run: gate.run,
    onDone: (_request, watermarkBytes) => watermarks.push(watermarkBytes),
  })
  await turn()
  for (const request of others) gate.pass(request)
  await turn()
  gate.pass(oldest!)
  await running
  expect(watermarks).toEqual([0, 0, 0, requests[3]!.endBytes])
})
