/** Time that passes at once: whenever nothing is left to do, it jumps to the next timer. */
import type { Clock } from '../../../engine/clock.ts'

interface Timer {
  readonly atMs: number
  readonly act: () => void
}

export interface VirtualClock extends Clock {
  /** Lets time pass until `work` is settled. */
  run<T>(work: Promise<T>): Promise<T>
}

export function createVirtualClock(): VirtualClock {
  let nowMs = 0
  const timers = new Set<Timer>()
  const later = (ms: number, act: () => void): Timer => {
    const timer = { atMs: nowMs + ms, act }
    timers.add(timer)
    return timer
  }
  const passToNextTimer = (): void => {
    let next: Timer | undefined
    for (const timer of timers) if (timer.atMs < (next?.atMs ?? Infinity)) next = timer
    if (next === undefined) throw new Error('nothing is left that could happen')
    timers.delete(next)
    nowMs = Math.max(nowMs, next.atMs)
    next.act()
  }
  return {
    nowMs: () => nowMs,
    later: (ms, act) => void later(ms, act),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted()
        const giveUp = (): void => {
          timers.delete(timer)
          reject(signal?.reason)
        }
        const timer = later(ms, () => {
          signal?.removeEventListener('abort', giveUp)
          resolve()
        })
        signal?.addEventListener('abort', giveUp)
      }),
    async run(work) {
      let isSettled = false
      const settled = work.finally(() => (isSettled = true))
      settled.catch(() => undefined)
      for (;;) {
        // Everything that follows from the last timer, before time goes on.
        await new Promise((resolve) => setImmediate(resolve))
        if (isSettled) return settled
        passToNextTimer()
      }
    },
  }
}
