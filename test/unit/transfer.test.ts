import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { totalBytes } from '../../domain/byte-range.ts'
import { BackupError, type FailureType } from '../../domain/failures.ts'
import type { Change } from '../../domain/transfer-plan.ts'
import { transfer, type TransferState } from '../../engine/transfer.ts'
import { sortedRanges } from './support/arbitraries.ts'
import { createMemoryRoute, type MemoryRoute } from './support/memory-route.ts'

const PAGE = 512
const failure = (type: FailureType, retryAfterMs?: number) =>
  new BackupError({ type, message: `${type} by script`, retryAfterMs })

/** `count` changes of a page with a gap of a page between them, so each is a request. */
const changesOf = (count: number): Change[] =>
  Array.from({ length: count }, (_, index) => ({
    kind: 'copy',
    startBytes: 2 * index * PAGE,
    endBytes: (2 * index + 1) * PAGE,
  }))

const WINDOW = { startBytes: 0, endBytes: 100 * PAGE }
const START: TransferState = { nextOffsetBytes: 0, movedBytes: 0, clearedBytes: 0, requests: 0 }

/** Options of a first attempt over the whole window; its checkpoints are kept. */
function firstAttempt(checkpoints: TransferState[] = []) {
  return { window: WINDOW, isResumed: false, onProgress: (state: TransferState) => void checkpoints.push(state) }
}

const anyChanges: fc.Arbitrary<Change[]> = fc
  .tuple(sortedRanges, fc.infiniteStream(fc.constantFrom('copy' as const, 'clear' as const)))
  .map(([ranges, kinds]) => ranges.map((range) => ({ kind: kinds.next().value ?? 'copy', ...range })))

describe('a window', () => {
  test('is done when every change has arrived, and counted by kind', async () => {
    const changes: Change[] = [
      { kind: 'copy', startBytes: 0, endBytes: 4 * PAGE },
      { kind: 'clear', startBytes: 4 * PAGE, endBytes: 20 * PAGE },
      { kind: 'copy', startBytes: 30 * PAGE, endBytes: 31 * PAGE },
    ]
    const route = createMemoryRoute(changes)
    expect(await transfer(route, firstAttempt())).toEqual({
      nextOffsetBytes: WINDOW.endBytes,
      movedBytes: 5 * PAGE,
      clearedBytes: 16 * PAGE,
      requests: 3,
    })
    expect(route.holds(changes, WINDOW.endBytes)).toBe(true)
    expect(route.sent.every(({ mode }) => mode === 'copy')).toBe(true)
    expect(route.listings).toEqual([{ window: WINDOW, isResumed: false }])
  })

  test('without changes is done at once, and says so', async () => {
    const checkpoints: TransferState[] = []
    await transfer(createMemoryRoute([]), firstAttempt(checkpoints))
    expect(checkpoints).toEqual([{ ...START, nextOffsetBytes: WINDOW.endBytes }])
  })

  test('that an earlier attempt finished is not listed again', async () => {
    const route = createMemoryRoute(changesOf(3))
    const resumeFrom = { nextOffsetBytes: WINDOW.endBytes, movedBytes: 7, clearedBytes: 8, requests: 9 }
    expect(await transfer(route, { ...firstAttempt(), resumeFrom, isResumed: true })).toEqual(resumeFrom)
    expect(route.listings).toEqual([])
  })

  test('keeps at most eight requests in flight', async () => {
    let inFlight = 0
    let most = 0
    const route = createMemoryRoute(changesOf(40), {
      onSend: async () => {
        most = Math.max(most, ++inFlight)
        await new Promise((resolve) => setImmediate(resolve))
        inFlight -= 1
      },
    })
    await transfer(route, firstAttempt())
    expect(most).toBe(8)
  })
})

describe('a checkpoint', () => {
  test('never tells more than has arrived, in whatever order requests end', async () => {
    await fc.assert(
      fc.asyncProperty(anyChanges, fc.scheduler(), async (changes, scheduler) => {
        const route = createMemoryRoute(changes, { onSend: () => scheduler.schedule(Promise.resolve()) })
        const onProgress = ({ nextOffsetBytes }: TransferState) =>
          expect(route.holds(changes, nextOffsetBytes)).toBe(true)
        const state = await scheduler.waitFor(transfer(route, { window: WINDOW, isResumed: false, onProgress }))
        expect(state.movedBytes + state.clearedBytes).toBe(totalBytes(changes))
      }),
    )
  })

  test('is enough to go on from, wherever an attempt dies', async () => {
    await fc.assert(
      fc.asyncProperty(anyChanges, fc.scheduler(), fc.nat(9), async (changes, scheduler, dyingRequest) => {
        let count = 0
        const route = createMemoryRoute(changes, {
          onSend: async () => {
            const isDying = count++ === dyingRequest
            await scheduler.schedule(Promise.resolve())
            if (isDying) throw new Error('the worker died')
          },
        })
        const checkpoints: TransferState[] = []
        const first = await scheduler.waitFor(transfer(route, firstAttempt(checkpoints)).catch(() => undefined))
        if (first !== undefined) return
        const sentBefore = route.sent.length
        const resumeFrom = checkpoints.at(-1)
        const state = await scheduler.waitFor(transfer(route, { ...firstAttempt(), resumeFrom, isResumed: true }))
        expect(state.nextOffsetBytes).toBe(WINDOW.endBytes)
        expect(route.holds(changes, WINDOW.endBytes)).toBe(true)
        for (const { startBytes } of route.sent.slice(sentBefore))
          expect(startBytes).toBeGreaterThanOrEqual(resumeFrom?.nextOffsetBytes ?? 0)
      }),
    )
  })

  test('goes on counting from the totals of the attempt before', async () => {
    const resumeFrom = { nextOffsetBytes: 4 * PAGE, movedBytes: 2 * PAGE, clearedBytes: 0, requests: 2 }
    const route = createMemoryRoute(changesOf(5))
    expect(await transfer(route, { ...firstAttempt(), resumeFrom, isResumed: true })).toEqual({
      nextOffsetBytes: WINDOW.endBytes,
      movedBytes: 5 * PAGE,
      clearedBytes: 0,
      requests: 5,
    })
    expect(route.listings).toEqual([{ window: { startBytes: 4 * PAGE, endBytes: WINDOW.endBytes }, isResumed: true }])
  })
})

describe('when access is lost', () => {
  test('it is renewed, and the window goes on from its watermark', async () => {
    const changes = changesOf(30)
    const checkpoints: TransferState[] = []
    let watermarkAtLoss = -1
    const route = createMemoryRoute(changes, {
      onSend: ({ startBytes }, _mode, attempt) => {
        if (startBytes === changes[20]!.startBytes && attempt === 1) throw failure('ExportAccessLost')
      },
      onRenew: () => {
        watermarkAtLoss = checkpoints.at(-1)!.nextOffsetBytes
      },
    })
    await transfer(route, firstAttempt(checkpoints))
    expect(route.renewals).toBe(1)
    expect(watermarkAtLoss).toBeGreaterThan(0)
    expect(watermarkAtLoss).toBeLessThanOrEqual(changes[20]!.startBytes)
    expect(route.listings).toEqual([
      { window: WINDOW, isResumed: false },
      { window: { startBytes: watermarkAtLoss, endBytes: WINDOW.endBytes }, isResumed: true },
    ])
    expect(route.holds(changes, WINDOW.endBytes)).toBe(true)
  })

  test('while listing, it is renewed as well', async () => {
    const route = createMemoryRoute(changesOf(3), {
      onList: (_window, listing) => {
        if (listing === 1) throw failure('ExportAccessLost')
      },
    })
    await transfer(route, firstAttempt())
    expect(route.renewals).toBe(1)
    expect(route.holds(changesOf(3), WINDOW.endBytes)).toBe(true)
  })

  test('three renewals without a request done are enough', async () => {
    const route = createMemoryRoute(changesOf(3), {
      onSend: () => {
        throw failure('ExportAccessLost')
      },
    })
    await expect(transfer(route, firstAttempt())).rejects.toMatchObject({ type: 'ExportAccessLost' })
    expect(route.renewals).toBe(3)
    expect(route.listings).toHaveLength(4)
  })

  test('again and again, it is renewed as long as requests get done in between', async () => {
    const changes = changesOf(20)
    const route: MemoryRoute = createMemoryRoute(changes, {
      onSend: async () => {
        await new Promise((resolve) => setImmediate(resolve))
        if (route.sent.length >= 4 * (route.renewals + 1)) throw failure('ExportAccessLost')
      },
    })
    await transfer(route, firstAttempt())
    expect(route.renewals).toBeGreaterThan(3)
    expect(route.holds(changes, WINDOW.endBytes)).toBe(true)
  })

  test('and cannot be renewed, the reason goes up', async () => {
    const route = createMemoryRoute(changesOf(3), {
      onSend: () => {
        throw failure('ExportAccessLost')
      },
      onRenew: () => {
        throw failure('SourceSnapshotNotFound')
      },
    })
    await expect(transfer(route, firstAttempt())).rejects.toMatchObject({ type: 'SourceSnapshotNotFound' })
  })
})

describe('when a server-side copy is refused', () => {
  const refuseCopies = (_request: Change, mode: 'copy' | 'stream') => {
    if (mode === 'copy') throw failure('ServerSideCopyRefused')
  }

  test('bytes are streamed from there on, without new access', async () => {
    const changes = changesOf(20)
    const route = createMemoryRoute(changes, { onSend: refuseCopies })
    await transfer(route, firstAttempt())
    expect(route.sent).toHaveLength(20)
    expect(route.sent.every(({ mode }) => mode === 'stream')).toBe(true)
    expect(route.renewals).toBe(0)
  })

  test('they are still streamed after access was lost and renewed', async () => {
    const changes = changesOf(20)
    const route = createMemoryRoute(changes, {
      onSend: (request, mode, attempt) => {
        refuseCopies(request, mode)
        if (request.startBytes === changes[15]!.startBytes && attempt === 1) throw failure('ExportAccessLost')
      },
    })
    await transfer(route, firstAttempt())
    expect(route.renewals).toBe(1)
    expect(route.sent.every(({ mode }) => mode === 'stream')).toBe(true)
    expect(route.holds(changes, WINDOW.endBytes)).toBe(true)
  })

  test('of bytes that are streamed already, it goes up', async () => {
    const route = createMemoryRoute(changesOf(2), {
      onSend: () => {
        throw failure('ServerSideCopyRefused')
      },
    })
    await expect(transfer(route, firstAttempt())).rejects.toMatchObject({ type: 'ServerSideCopyRefused' })
    expect(route.listings).toHaveLength(2)
  })
})

describe('a throttled request', () => {
  test('is sent again, alone', async () => {
    const attempts: number[] = []
    const route = createMemoryRoute(changesOf(3), {
      onSend: ({ startBytes }, _mode, attempt) => {
        if (startBytes !== 0) return
        attempts.push(attempt)
        if (attempt < 5) throw failure('AzureThrottled', 1)
      },
    })
    const state = await transfer(route, firstAttempt())
    expect(attempts).toEqual([1, 2, 3, 4, 5])
    expect(state.requests).toBe(3)
    expect(route.listings).toHaveLength(1)
  })

  test('waits as long as Azure asks', async () => {
    const sentAt: number[] = []
    const route = createMemoryRoute(changesOf(1), {
      onSend: (_request, _mode, attempt) => {
        sentAt.push(performance.now())
        if (attempt === 1) throw failure('AzureThrottled', 120)
      },
    })
    await transfer(route, firstAttempt())
    // Timers may fire a little early.
    expect(sentAt[1]! - sentAt[0]!).toBeGreaterThanOrEqual(115)
  })

  test('waits also where Azure asks for nothing', async () => {
    const sentAt: number[] = []
    const route = createMemoryRoute(changesOf(1), {
      onSend: (_request, _mode, attempt) => {
        sentAt.push(performance.now())
        if (attempt === 1) throw failure('AzureThrottled')
      },
    })
    await transfer(route, firstAttempt())
    expect(sentAt[1]! - sentAt[0]!).toBeGreaterThanOrEqual(95)
  })

  test.each([
    ['goes up after eight attempts', 1, 8],
    ['goes up at once where the pause would be long: Temporal can wait without a worker', 30_001, 1],
  ])('%s', async (_claim, retryAfterMs, expected) => {
    let attempts = 0
    const route = createMemoryRoute(changesOf(1), {
      onSend: (_request, _mode, attempt) => {
        attempts = attempt
        throw failure('AzureThrottled', retryAfterMs)
      },
    })
    await expect(transfer(route, firstAttempt())).rejects.toMatchObject({ type: 'AzureThrottled', retryAfterMs })
    expect(attempts).toBe(expected)
  })
})

describe('cancelling', () => {
  test('aborts the requests in flight, takes no new access and throws', async () => {
    const aborter = new AbortController()
    const route = createMemoryRoute(changesOf(20), {
      onSend: async ({ startBytes }, _mode, _attempt, signal) => {
        if (startBytes === 10 * PAGE) setImmediate(() => aborter.abort(new Error('stopped')))
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    })
    await expect(transfer(route, { ...firstAttempt(), signal: aborter.signal })).rejects.toThrow('stopped')
    expect(route.sent).toEqual([])
    expect(route.renewals).toBe(0)
  })

  test('does not wait for the pause of a throttled request', async () => {
    const aborter = new AbortController()
    const route = createMemoryRoute(changesOf(1), {
      onSend: () => {
        setImmediate(() => aborter.abort())
        throw failure('AzureThrottled', 25_000)
      },
    })
    const startedAt = performance.now()
    await expect(transfer(route, { ...firstAttempt(), signal: aborter.signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })
})

test.each<FailureType>(['FencedOut', 'AzureUnavailable', 'AccessDenied', 'DiffRefused'])(
  '%s goes up as it is, and nothing more is sent',
  async (type) => {
    const route = createMemoryRoute(changesOf(20), {
      onSend: ({ startBytes }) => {
        if (startBytes === 0) throw failure(type)
      },
    })
    await expect(transfer(route, firstAttempt())).rejects.toMatchObject({ type })
    expect(route.renewals).toBe(0)
    expect(route.listings).toHaveLength(1)
    expect(route.sent.length).toBeLessThan(8)
  },
)
