/** Time that passes and waiting for it, so that tests can let it pass at once. */
import { setTimeout } from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Clock {
  /** Never goes back. */
  nowMs(): number
  /** Rejects with an AbortError when `signal` says so. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Does something later, if the process still runs then. */
  later(ms: number, act: () => void): void
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
  later: (ms, act) => void setTimeout(act, ms).unref(),
}
