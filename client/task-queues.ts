/** Whether anybody works: which of the task queues that a run needs have no live poller. */
import type { TemporalLink } from '../temporal/connect.ts'
import type { TaskQueues } from '../workflows/messages.ts'

/** `temporal.api.enums.v1.TaskQueueType`. */
const WORKFLOW_TASKS = 1
const ACTIVITY_TASKS = 2

/**
 * The server lists a poller for minutes after it died. A poll lasts at most 60 s before it is asked again, so one that
 * was last seen longer ago is gone.
 */
const POLLER_ALIVE_MS = 70_000

/** Where the long steps of a run are done, by its workflow; those of all others are backups. */
const LONG_STEPS: Partial<Record<string, 'restore' | 'verify'>> = {
  restoreDisk: 'restore',
  restoreGroup: 'restore',
  verifyPoint: 'verify',
  drillRestore: 'verify',
  drillPolicy: 'verify',
}

/** @returns names of the queues that a run of that workflow needs and nobody polls; empty where all are served. */
export async function queuesWithoutWorker(link: TemporalLink, queues: TaskQueues, workflowType: string): Promise<string[]> {
  const needed = [
    { name: queues.control, type: WORKFLOW_TASKS },
    { name: queues.control, type: ACTIVITY_TASKS },
    { name: queues[LONG_STEPS[workflowType] ?? 'data'], type: ACTIVITY_TASKS },
  ]
  const served = await Promise.all(needed.map(({ name, type }) => isPolled(link, name, type)))
  return [...new Set(needed.filter((_, index) => served[index] === false).map(({ name }) => name))]
}

async function isPolled({ connection, namespace }: TemporalLink, name: string, type: number): Promise<boolean> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name },
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the SDK does not export the enum.
    taskQueueType: type,
  })
  const nowMs = Date.now()
  return (pollers ?? []).some(
    ({ lastAccessTime }) => nowMs - Number(lastAccessTime?.seconds ?? 0) * 1000 < POLLER_ALIVE_MS,
  )
}
