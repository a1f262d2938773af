/** Whether anybody works: which of the task queues that a run needs have no live poller. */
import type { TemporalLink } from '../temporal/connect.ts'

/** `temporal.api.enums.v1.TaskQueueType`. */
const WORKFLOW_TASKS = 1
const ACTIVITY_TASKS = 2

/**
 * The server lists a poller for minutes after it died. A poll lasts at most 60 s before it is asked again, so one that
 * was last seen longer ago is gone.
 */
const POLLER_ALIVE_MS = 70_000

/** @returns names of the queues that nobody polls; empty where all are served. */
export async function queuesWithoutWorker(
  link: TemporalLink,
  queues: { readonly control: string; readonly data: string },
): Promise<string[]> {
  const needed = [
    { name: queues.control, type: WORKFLOW_TASKS },
    { name: queues.control, type: ACTIVITY_TASKS },
    { name: queues.data, type: ACTIVITY_TASKS },
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
