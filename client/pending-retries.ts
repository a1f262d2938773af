/**
 * Steps of a run that failed and are tried again: what Temporal's record of the run says about them, and how that is
 * told to people. Needs no worker, so it also tells why one that is there gets no further.
 */
import type { WorkflowExecutionDescription } from '@temporalio/client'
import { ApplicationFailure, defaultFailureConverter, defaultPayloadConverter, TimeoutFailure } from '@temporalio/common'
import { formatRelative } from './format.ts'

export interface PendingRetry {
  /** The step by its activity's name, such as `takeSourceSnapshot`. */
  readonly activity: string
  /** The attempt that runs, or that is due at `nextAttemptAt`. */
  readonly attempt: number
  /** ISO instant; absent while the attempt runs. */
  readonly nextAttemptAt?: string
  readonly lastFailure: {
    /** Of the catalogue in domain/failures.ts, or another word of Temporal for what happened. */
    readonly type: string
    readonly message: string
  }
}

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number]

/** Steps that never failed are left out; those that have waited longest for success come first. */
export function pendingRetriesOf({ raw }: Pick<WorkflowExecutionDescription, 'raw'>): PendingRetry[] {
  return (raw.pendingActivities ?? []).flatMap(retryOf).sort((one, other) => other.attempt - one.attempt)
}

function retryOf({ activityType, attempt, lastFailure, nextAttemptScheduleTime }: PendingActivity): PendingRetry[] {
  if (lastFailure === undefined || lastFailure === null) return []
  const error = defaultFailureConverter.failureToError(lastFailure, defaultPayloadConverter)
  return [
    {
      activity: activityType?.name ?? 'a step',
      attempt: attempt ?? 1,
      ...(nextAttemptScheduleTime && {
        nextAttemptAt: new Date(Number(nextAttemptScheduleTime.seconds) * 1000).toISOString(),
      }),
      lastFailure: { type: typeOf(error), message: messageOf(error) },
    },
  ]
}

function typeOf(error: Error): string {
  if (error instanceof ApplicationFailure) return error.type ?? error.name
  return error.name
}

/** A worker that dies sends no word of its own; the server only notices the silence. */
function messageOf(error: Error): string {
  return error instanceof TimeoutFailure ? `the worker that had it went silent (${error.timeoutType})` : error.message
}

/** `takeSourceSnapshot, attempt 4 in 12s, after AzureThrottled: could not …`. */
export function describeRetry(retry: PendingRetry, nowMs: number): string {
  const { type, message } = retry.lastFailure
  return `${retry.activity}, ${describeAttempt(retry, nowMs)}, after ${type}: ${message}`
}

/** `attempt 4 in 12s`, or `attempt 4 under way`. */
export function describeAttempt({ attempt, nextAttemptAt }: PendingRetry, nowMs: number): string {
  const isDue = nextAttemptAt === undefined || Date.parse(nextAttemptAt) <= nowMs
  return `attempt ${attempt} ${isDue ? 'under way' : formatRelative(nextAttemptAt, nowMs)}`
}
