/**
 * Starts a workflow under its fixed id, so that at most one run of a disk is open, and warns at once when nobody would
 * work on it.
 */
import { WorkflowExecutionAlreadyStartedError, type Workflow } from '@temporalio/client'
import type { SearchAttributePair } from '@temporalio/common'
import { BackupError } from '../domain/failures.ts'
import type { TemporalLink } from '../temporal/connect.ts'
import { ensureSearchAttributes } from '../temporal/ensure-search-attributes.ts'
import { taskQueuesOf } from '../workflows/messages.ts'
import { formatInstant } from './format.ts'
import type { Output } from './output.ts'
import { queuesWithoutWorker } from './task-queues.ts'

export interface RunReference {
  readonly workflowId: string
  readonly runId: string
}

export interface StartedRun extends RunReference {
  /** Another command or a policy had started it. */
  readonly isJoined: boolean
}

export interface StartRequest<W extends Workflow> {
  /** The registered name; the workflow itself is imported as a type only. */
  readonly workflowType: string
  readonly workflowId: string
  readonly args: Parameters<W>
  /** One line for Temporal's UI. */
  readonly summary: string
  /** What lists of runs are searched by. */
  readonly searchAttributes: SearchAttributePair[]
  /** An open run of the same id is joined instead of refused. */
  readonly mayJoin: boolean
  readonly taskQueuePrefix: string
}

/** @throws BackupError RunAlreadyOpen */
export async function startRun<W extends Workflow>(
  link: TemporalLink,
  output: Output,
  request: StartRequest<W>,
): Promise<StartedRun> {
  const queues = taskQueuesOf(request.taskQueuePrefix)
  // A run may be started before the first worker, which registers them otherwise.
  await ensureSearchAttributes(link.connection.operatorService, link.namespace)
  const started = await startOrJoin(link, request, queues.control)
  const idle = await queuesWithoutWorker(link, queues, request.workflowType)
  if (idle.length > 0) {
    output.warn(`no worker polls ${idle.join(' and ')}: the run waits until "snapferry worker" is started somewhere`)
  }
  return started
}

async function startOrJoin<W extends Workflow>(
  link: TemporalLink,
  request: StartRequest<W>,
  taskQueue: string,
): Promise<StartedRun> {
  const { workflowType, workflowId, args, summary, searchAttributes, mayJoin } = request
  try {
    const handle = await link.client.workflow.start(workflowType, {
      workflowId,
      taskQueue,
      args: [...args],
      staticSummary: summary,
      typedSearchAttributes: searchAttributes,
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    })
    return { workflowId, runId: handle.firstExecutionRunId, isJoined: false }
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
  const { runId, startTime } = await link.client.workflow.getHandle(workflowId).describe()
  if (mayJoin) return { workflowId, runId, isJoined: true }
  throw new BackupError({
    type: 'RunAlreadyOpen',
    message:
      `run ${workflowId} is already open (run id ${runId}, since ${formatInstant(startTime)}); ` +
      `nothing was started. You can wait for it with: snapferry run follow ${workflowId}`,
    facts: { workflowId, runId, since: startTime.toISOString() },
  })
}
