/**
 * A run that stands still since no worker has taken its next step: all are busy, or none polls the queue. Told by Temporal's record of
 * the run, which no worker has to be asked for.
 */
import type { WorkflowExecutionDescription } from '@temporalio/client'
import { formatSeconds } from './format.ts'

export interface WaitingStep {
  /** The step by its activity's name, such as `transferExtent`. */
  readonly activity: string
  /** ISO instant from which on a worker could have taken it. */
  readonly since: string
}

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number]

/** `temporal.api.enums.v1.PendingActivityState`. */
const SCHEDULED = 1
/** A worker with a free slot takes a step within milliseconds. */
const PATIENCE_MS = 5_000

/** @returns the step that has waited longest; undefined where any step of the run is under way, or waits for its next attempt. */
export function waitingStepOf({ raw }: Pick<WorkflowExecutionDescription, 'raw'>, nowMs: number): WaitingStep | undefined {
  const steps = (raw.pendingActivities ?? []).map((step) => ({ step, sinceMs: waitingSinceMs(step) }))
  if (steps.length === 0 || steps.some(({ sinceMs }) => sinceMs > nowMs - PATIENCE_MS)) return undefined
  const { step, sinceMs } = steps.reduce((one, other) => (other.sinceMs < one.sinceMs ? other : one))
  return { activity: step.activityType?.name ?? 'a step', since: new Date(sinceMs).toISOString() }
}

/** Infinity: a worker has it. */
function waitingSinceMs({ state, scheduledTime, nextAttemptScheduleTime }: PendingActivity): number {
  // oxlint-disable-next-line typescript/no-unsafe-enum-comparison -- the SDK does not export the enum.
  if (state !== SCHEDULED) return Infinity
  const { seconds } = nextAttemptScheduleTime ?? scheduledTime ?? {}
  return seconds === undefined || seconds === null ? Infinity : Number(seconds) * 1000
}

/** `transferExtent has waited 12m for a worker: all are busy, or none polls its queue`. */
export function describeWaiting({ activity, since }: WaitingStep, nowMs: number): string {
  return `${activity} has waited ${formatSeconds((nowMs - Date.parse(since)) / 1000)} for a worker: all are busy, or none polls its task queue`
}
