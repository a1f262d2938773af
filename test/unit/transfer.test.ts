import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { PAGE_BYTES, totalBytes } from '../../domain/byte-range.ts'
import type { FailureType } from '../../domain/failures.ts'
import type { Change } from '../../domain/transfer-plan.ts'
import { transfer, type TransferState } from '../../engine/transfer.ts'
import { sortedRanges } from './support/arbitraries.ts'
import { createMemoryRoute } from './support/memory-route.ts'
import { changesOf, failure, firstAttempt, WINDOW } from './support/transfer-attempt.ts'

const anyChanges: fc.Arbitrary<Change[]> = fc
  .tuple(sortedRanges, fc.infiniteStream(fc.constantFrom('copy' as const, 'clear' as const)))
  .map(([ranges, kinds]) => ranges.map((range) => ({ kind: kinds.next().value ?? 'copy', ...range })))

describe('a window', () => {
  test('is done when every change has arrived, and counted by kind', async () => {
    const changes: Change[] = [
      { kind: 'copy', startBytes: 0, endBytes: 4 * PAGE_BYTES },
      { kind: 'clear', startBytes: 4 * PAGE_BYTES, endBytes: 20 * PAGE_BYTES },
      { kind: 'copy', startBytes: 30 * PAGE_BYTES, endBytes: 31 * PAGE_BYTES },
    ]
    const route = createMemoryRoute(changes)
    expect(await transfer(route, firstAttempt())).toEqual({
      nextOffsetBytes: WINDOW.endBytes,
      movedBytes: 5 * PAGE_BYTES,
      clearedBytes: 16 * PAGE_BYTES,
      requests: 3,
    })
    expect(route.holds(changes, WINDOW.endBytes)).toBe(true)
    expect(route.sent.every(({ mode }) => mode === 'copy')).toBe(true)
    expect(route.listings).toEqual([{ window: WINDOW, isResumed: false }])
  })

  test('without changes is done at once, and says so', async () => {
    const checkpoints: TransferState[] = []
    await transfer(createMemoryRoute([]), firstAttempt(checkpoints))
    expect(checkpoints).toEqual([{ nextOffsetBytes: WINDOW.endBytes, movedBytes: 0, clearedBytes: 0, requests: 0 }])
  })

  test('that an earlier attempt finished is not listed again', async () => {
    const route = createMemoryRoute(changesOf(3))
    const resumeFrom = { nextOffsetBytes: WINDOW.endBytes, movedBytes: 7, clearedBytes: 8, requests: 9 }
    expect(await transfer(route, { ...firstAttempt(), resumeFrom, isResumed: true })).toEqual(resumeFrom)
    expect(route.listings).toEqual([])
  })

  test('begins with four requests in flight', async () => {
    let inFlight = 0
    let most = 0
    let isAnswered = false
    const route = createMemoryRoute(changesOf(40), {
      onSend: async () => {
        inFlight += 1
        if (!isAnswered) most = Math.max(most, inFlight)
        await new Promise((resolve) => setImmediate(resolve))
        inFlight -= 1
        isAnswered = true
      },
    })
    await transfer(route, firstAttempt())
    expect(most).toBe(4)
  })
})

describe('a checkpoint', () => {
  test('never tells more than has arrived, in whatever order requests end', async () => {
    await fc.assert(
      fc.asyncProperty(anyChanges, fc.scheduler(), async (changes, scheduler) => {
        const route = createMemoryRoute(changes, { onSend: () => scheduler.schedule(Promise.resolve()) })
        const onProgress = ({ nextOffsetBytes }: TransferState) =>
          expect(route.holds(changes, nextOffsetBytes)).toBe(true)
        const state = await scheduler.waitFor(transfer(route, { ...firstAttempt(), onProgress }))
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
    const resumeFrom = { nextOffsetBytes: 4 * PAGE_BYTES, movedBytes: 2 * PAGE_BYTES, clearedBytes: 0, requests: 2 }
    const route = createMemoryRoute(changesOf(5))
    expect(await transfer(route, { ...firstAttempt(), resumeFrom, isResumed: true })).toEqual({
      nextOffsetBytes: WINDOW.endBytes,
      movedBytes: 5 * PAGE_BYTES,
      clearedBytes: 0,
      requests: 5,
    })
    expect(route.listings).toEqual([
      { window: { startBytes: 4 * PAGE_BYTES, endBytes: WINDOW.endBytes }, isResumed: true },
    ])
  })
})

describe('cancelling', () => {
  test('aborts the requests in flight, takes no new access and throws', async () => {
    const aborter = new AbortController()
    const route = createMemoryRoute(changesOf(20), {
      onSend: async ({ startBytes }, _mode, _attempt, signal) => {
        if (startBytes === 6 * PAGE_BYTES) setImmediate(() => aborter.abort(new Error('stopped')))
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    })
    await expect(transfer(route, { ...firstAttempt(), signal: aborter.signal })).rejects.toThrow('stopped')
    expect(route.sent).toEqual([])
    expect(route.renewals).toBe(0)
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
