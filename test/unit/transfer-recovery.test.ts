import { describe, expect, test } from '@jest/globals'
import { PAGE_BYTES } from '../../domain/byte-range.ts'
import type { Change } from '../../domain/transfer-plan.ts'
import { transfer, type TransferState } from '../../engine/transfer.ts'
import { createMemoryRoute, type MemoryRoute } from './support/memory-route.ts'
import { changesOf, failure, firstAttempt, WINDOW } from './support/transfer-attempt.ts'

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

  test('and is found to be good, bytes are streamed: the service alone is refused', async () => {
    const changes = changesOf(3)
    const route = createMemoryRoute(changes, {
      onSend: (_request, mode) => {
        if (mode === 'copy') throw failure('ExportAccessLost')
      },
      onRenew: () => false,
    })
    await transfer(route, firstAttempt())
    expect(route.renewals).toBe(1)
    expect(route.holds(changes, WINDOW.endBytes)).toBe(true)
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

  test('does not wait for its pause when the transfer is cancelled', async () => {
    const aborter = new AbortController()
    const route = createMemoryRoute(changesOf(1), {
      onSend: () => {
        setImmediate(() => aborter.abort())
        throw failure('AzureThrottled', 25_000)
      },
    })
    await expect(transfer(route, { ...firstAttempt(), signal: aborter.signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
    // Shorter than the pause: who waits for it fails.
  }, 20_000)
})

describe('a transfer that is to be streamed', () => {
  test('has no copy tried, and counts what went through this process', async () => {
    const changes = [...changesOf(3), { kind: 'clear', startBytes: 40 * PAGE_BYTES, endBytes: 50 * PAGE_BYTES }] satisfies Change[]
    const route = createMemoryRoute(changes)
    const state = await transfer(route, { ...firstAttempt(), mode: 'stream' })
    expect(route.sent.filter(({ kind }) => kind === 'copy').every(({ mode }) => mode === 'stream')).toBe(true)
    expect(state).toMatchObject({ movedBytes: 3 * PAGE_BYTES, streamedBytes: 3 * PAGE_BYTES })
  })

  test('goes on so after a checkpoint that says so', async () => {
    const route = createMemoryRoute(changesOf(3))
    const resumeFrom = { nextOffsetBytes: PAGE_BYTES, movedBytes: PAGE_BYTES, streamedBytes: PAGE_BYTES, clearedBytes: 0, requests: 1 }
    const state = await transfer(route, { ...firstAttempt(), resumeFrom, isResumed: true })
    expect(route.sent.map(({ mode }) => mode)).toEqual(['stream', 'stream'])
    expect(state.streamedBytes).toBe(3 * PAGE_BYTES)
  })
})
