/**
 * The proxies that workflows call activities through, one a class of work. Each states three times: how long one attempt may
 * take, how long silence means death, and how long the workflow is willing to wait in all.
 */
import { ActivityCancellationType, proxyActivities, workflowInfo, type ActivityInterfaceFor } from '@temporalio/workflow'
import type { ControlActivities, DataActivities } from '../activities/index.ts'

/** What is taken back after a cancel must not be made at that moment by an attempt that has not heard of it yet. The SDK's default does not wait. */
const cancellationType = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED

/**
 * Of short calls to ARM and the target; each request has a deadline of its own. An operation of ARM may take long, and one that is asked for
 * again meanwhile is refused, so an attempt has time.
 */
const SHORT_CALLS = {
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
  cancellationType,
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
} as const

/** Short calls with nothing long before them. ARM may ask to wait for many minutes, so the patience is in the hours. */
export const control = proxyActivities<ControlActivities>({ ...SHORT_CALLS, scheduleToCloseTimeout: '6 hours' })

/** For what comes behind the long steps. Patience runs also while there is no worker, and a weekend of that must not cost what took hours. */
export const FINISHING_PATIENCE = '7 days'

/** Short calls that finish what the long steps made, or take it away. */
export const finishing = proxyActivities<ControlActivities>({ ...SHORT_CALLS, scheduleToCloseTimeout: FINISHING_PATIENCE })

/** Waits for something to become ready: heartbeats from inside. */
export const waiting = proxyActivities<ControlActivities>({
  startToCloseTimeout: '24 hours',
  scheduleToCloseTimeout: '48 hours',
  heartbeatTimeout: '30 seconds',
  cancellationType,
  retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '1 minute' },
})

/** Azure's own copy of a snapshot takes as long as it takes: it is asked for its progress now and then. */
export const copying = proxyActivities<ControlActivities>({
  startToCloseTimeout: '14 days',
  scheduleToCloseTimeout: '14 days',
  heartbeatTimeout: '1 minute',
  cancellationType,
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '1 minute' },
})

/** What an operator's alert command does; one that does not work must not hold up what it tells of. */
export const alerting = proxyActivities<ControlActivities>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumAttempts: 4 },
})

/** How soon a dead worker is noticed. Progress in between is not lost: the base blob itself tells it. */
const DATA_HEARTBEAT_TIMEOUT = '20 seconds'

export type DataSteps = ActivityInterfaceFor<DataActivities>

/**
 * Lists and bytes, on another queue than the workflow's own. A full copy of 8 TiB takes 39 hours at the limit of one blob.
 *
 * @param queue each has slots of its own: `restore`, where an operator waits, so that nothing stands before it; `verify`, so that it stands before nothing.
 */
export function dataActivities(queue: 'data' | 'restore' | 'verify' = 'data'): DataSteps {
  return proxyActivities<DataActivities>({
    taskQueue: workflowInfo().taskQueue.replace(/-control$/, `-${queue}`),
    startToCloseTimeout: '48 hours',
    scheduleToCloseTimeout: '7 days',
    heartbeatTimeout: DATA_HEARTBEAT_TIMEOUT,
    cancellationType,
    retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '2 minutes' },
  })
}
