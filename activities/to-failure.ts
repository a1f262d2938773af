/**
 * The border between our errors and Temporal's: every activity runs inside `asActivity`.
 *
 * A BackupError becomes an ApplicationFailure of its type, retryable or not as the catalogue says, delayed as Azure asked. A
 * cancellation is thrown as Temporal's own, whatever a library made of it: an `AbortError` would also be taken for a
 * cancel when the activity was only paused.
 */
import { setMaxListeners } from 'node:events'
import { ApplicationFailure, CancelledFailure, cancellationSignal } from '@temporalio/activity'
import { BackupError, FAILURES, redact } from '../domain/failures.ts'
import { keepAlive } from './heartbeat.ts'

export function asActivity<Input, Output>(run: (input: Input) => Promise<Output>): (input: Input) => Promise<Output> {
  return async (input) => {
    // Many requests of one activity listen to its signal at the same time; Node would take that for a leak and warn.
    setMaxListeners(Infinity, cancellationSignal())
    try {
      return await keepAlive(() => run(input))
    } catch (error) {
      rethrowIfCancelled()
      throw toFailure(error)
    }
  }
}

function rethrowIfCancelled(): void {
  const signal = cancellationSignal()
  if (signal.aborted) throw signal.reason
}

/** As a part of what Azure asks to wait. */
const LONGEST_LATENESS = 0.25

export function toFailure(error: unknown): Error {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error
  if (error instanceof BackupError) {
    return ApplicationFailure.create({
      type: error.type,
      message: error.message,
      nonRetryable: FAILURES[error.type].retry === 'never',
      details: [error.facts],
      // Runs that were sent away together must not come back together.
      ...(error.retryAfterMs !== undefined && { nextRetryDelay: Math.round(error.retryAfterMs * (1 + LONGEST_LATENESS * Math.random())) }),
    })
  }
  // A fault of our own: retried, since a fixed worker can go on; its text may quote a URL.
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  const failure = ApplicationFailure.retryable(redact(message), name)
  failure.stack = redact(stack ?? '')
  return failure
}
