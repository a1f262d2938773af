/** What Temporal has recorded of a run: how long its steps took, how large its history is and how many actions it made. */
import type { WorkflowHandle } from '@temporalio/client'

type Timestamp = { seconds?: number | bigint | { toNumber(): number } | null; nanos?: number | null }

export interface RunHistory {
  readonly events: number
  readonly bytes: number
  /**
   * Actions as Temporal Cloud counts them (docs.temporal.io/cloud/actions), heartbeats aside, which leave no event:
   * the start, each attempt of an activity, each upsert of search attributes, each timer.
   */
  readonly actions: number
  /** From the start of the first transfer of an extent to the end of the last. */
  readonly transferSeconds: number
  /** From the start of the run to its end. */
  readonly seconds: number
}

const TRANSFER_ACTIVITIES = ['transferExtent', 'restoreExtent']

export async function readRunHistory(run: WorkflowHandle): Promise<RunHistory> {
  const { raw, historyLength } = await run.describe()
  const { events } = await run.fetchHistory()
  const startedAt = new Map<string, number>()
  const transfers = new Set<string>()
  const transferTimes: number[] = []
  let actions = 0
  for (const event of events ?? []) {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskStartedEventAttributes: started, activityTaskCompletedEventAttributes: completed } = event
    if (event.workflowExecutionStartedEventAttributes || event.upsertWorkflowSearchAttributesEventAttributes || event.timerStartedEventAttributes) actions += 1
    if (TRANSFER_ACTIVITIES.includes(scheduled?.activityType?.name ?? '')) transfers.add(String(event.eventId))
    if (started) {
      actions += started.attempt ?? 1
      startedAt.set(String(started.scheduledEventId), secondsOf(event.eventTime))
    }
    const scheduledBy = String(completed?.scheduledEventId)
    if (completed && transfers.has(scheduledBy)) transferTimes.push(startedAt.get(scheduledBy) ?? 0, secondsOf(event.eventTime))
  }
  const times = (events ?? []).map(({ eventTime }) => secondsOf(eventTime))
  return {
    events: historyLength,
    bytes: Number(raw.workflowExecutionInfo?.historySizeBytes ?? 0),
    actions,
    transferSeconds: Math.max(...transferTimes) - Math.min(...transferTimes),
    seconds: Math.max(...times) - Math.min(...times),
  }
}

function secondsOf(time: Timestamp | null | undefined): number {
  return Number(time?.seconds ?? 0) + (time?.nanos ?? 0) / 1e9
}
