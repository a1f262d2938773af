/**
 * One call of the storage service: its deadline, its repetition and the translation of its errors.
 *
 * The storage SDK's own retries are switched off (`clients.ts`), because they ignore Retry-After and start without a
 * pause. Azure Resource Manager is not called through here: its SDK's policy obeys Retry-After.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { BackupError, isFailure } from '../domain/failures.ts'
import { translate, type ErrorContext } from './translate.ts'
import { isAbort } from './vendor-error.ts'

export interface RetryRule {
  readonly attempts: number
  readonly covers: (error: BackupError) => boolean
}

/** For calls that are not idempotent, or whose repetition would meet their own outcome (If-Match). */
export const ONCE: RetryRule = { attempts: 1, covers: () => false }
/** For reads and other calls that may be repeated at leisure. */
export const PATIENT: RetryRule = {
  attempts: 4,
  covers: (error) => isFailure(error, 'AzureUnavailable', 'AzureThrottled'),
}
/** For page writes: throttling is the business of the engine's flow control and goes up at once. */
export const BRIEF: RetryRule = { attempts: 3, covers: (error) => isFailure(error, 'AzureUnavailable') }

/** A longer Retry-After is not slept through: it goes up as AzureThrottled, and Temporal waits without a worker. */
export const LONGEST_WAIT_MS = 30_000
/** 4 MiB at 60 MiB/s take far less; a server-side timeout is 30 s for most calls (REST reference, setting timeouts). */
export const CALL_TIMEOUT_MS = 90_000
const FIRST_PAUSE_MS = 500

export interface StorageCall extends ErrorContext {
  readonly retry: RetryRule
  readonly signal: AbortSignal | undefined
  /** For one attempt; default `CALL_TIMEOUT_MS`. */
  readonly timeoutMs?: number
}

/**
 * Sends until it succeeds or `call.retry` is used up. `send` is called once an attempt, with a signal that ends on
 * cancellation and at the deadline.
 * @throws BackupError; an AbortError passes unchanged when `call.signal` was aborted.
 */
export async function callStorage<T>(call: StorageCall, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await withDeadline(call, send)
    } catch (error) {
      const failure = translate(error, call)
      if (!(failure instanceof BackupError) || attempt >= call.retry.attempts || !call.retry.covers(failure))
        throw failure
      const waitMs = failure.retryAfterMs ?? FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random())
      if (waitMs > LONGEST_WAIT_MS) throw failure
      await sleep(waitMs, undefined, call.signal === undefined ? {} : { signal: call.signal })
    }
  }
}

async function withDeadline<T>(call: StorageCall, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, timeoutMs = CALL_TIMEOUT_MS } = call
  signal?.throwIfAborted()
  // AbortSignal.any would hold a reference for each of a million requests as long as the activity's own signal lives.
  const attempt = new AbortController()
  const cancel = (): void => attempt.abort(signal?.reason)
  signal?.addEventListener('abort', cancel, { once: true })
  const timer = setTimeout(() => attempt.abort(), timeoutMs)
  try {
    return await send(attempt.signal)
  } catch (error) {
    if (!isAbort(error) || signal?.aborted === true) throw error
    throw new BackupError({
      type: 'AzureUnavailable',
      message: `could not ${call.doing} ${call.on}: no answer within ${timeoutMs / 1000} s; it is tried again later`,
      facts: { ...call.facts, timeoutMs },
    })
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
  }
}
