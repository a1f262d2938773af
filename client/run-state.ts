/**
 * What is known of a run from outside: Temporal's own record, the answer of its `progress` query, and the checkpoints
 * that activities in flight have sent by heartbeat.
 *
 * The query needs a worker. Without one the record alone is shown: status, the phase that the run wrote last, and the
 * steps that are tried again.
 */
import {
  defaultPayloadConverter,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
} from '@temporalio/client'
import type { TemporalLink } from '../temporal/connect.ts'
import type { Progress } from '../workflows/messages.ts'
import { pendingRetriesOf, type PendingRetry } from './pending-retries.ts'
import { waitingStepOf, type WaitingStep } from './waiting-step.ts'
import { kindAttribute, phaseAttribute, recoveryPointAttribute } from '../workflows/search-attributes.ts'

/** A worker that is there answers in milliseconds. */
const QUERY_TIMEOUT_MS = 2_000

/** They start other runs and move nothing by themselves, so they have no progress to be asked for. */
const RUNS_OF_RUNS: readonly string[] = ['runPolicy', 'drillPolicy', 'restoreGroup']

export interface RunState {
  readonly workflowId: string
  readonly runId: string
  readonly type: string
  /** `RUNNING`, `COMPLETED`, `FAILED`, … as Temporal says it. */
  readonly status: string
  readonly startedAt: string
  readonly closedAt?: string
  readonly phase?: string
  readonly kind?: string
  readonly pointId?: string
  /** Extents that are done and what those in flight have reported. */
  readonly movedBytes?: number
  readonly totalBytes?: number
  /** What a reseed found equal and did not move. */
  readonly savedBytes?: number
  /** How far Azure's own copy of a snapshot is. */
  readonly copyPercent?: number
  /** ISO instant at which the transfer began. */
  readonly transferStartedAt?: string
  /** Steps that failed and are tried again; absent where there are none. */
  readonly retries?: readonly PendingRetry[]
  /** What there is to do while the run goes on; absent where there is nothing. */
  readonly warnings?: readonly string[]
  /** It stands still until a worker is free. */
  readonly waiting?: WaitingStep
  /** Whether a worker answered the query; without one the figures are missing. */
  readonly isAnswered: boolean
}

/** @throws WorkflowNotFoundError where there is no such run. */
export async function readRunState(link: TemporalLink, workflowId: string, runId?: string): Promise<RunState> {
  const description = await link.client.workflow.getHandle(workflowId, runId).describe()
  const record = recordedState(description)
  if (description.status.name !== 'RUNNING') return record
  const retries = pendingRetriesOf(description)
  const waiting = waitingStepOf(description, Date.now())
  const recorded: RunState = { ...record, ...(retries.length > 0 && { retries }), ...(waiting !== undefined && { waiting }) }
  const progress = await queryProgress(link, description)
  if (progress === undefined) return recorded
  const { phase, kind, pointId, totalBytes, startedAt, movement, warnings = [] } = progress
  const copyPercent = phase === 'transfer' ? copyPercentOf(description) : undefined
  return {
    ...recorded,
    phase,
    movedBytes: progress.movedBytes + bytesInFlight(description),
    ...(kind !== undefined && { kind }),
    ...(pointId !== undefined && { pointId }),
    ...(totalBytes !== undefined && { totalBytes }),
    ...(movement?.savedBytes !== undefined && { savedBytes: movement.savedBytes }),
    ...(copyPercent !== undefined && { copyPercent }),
    ...(startedAt['transfer'] !== undefined && { transferStartedAt: startedAt['transfer'] }),
    ...(warnings.length > 0 && { warnings }),
    isAnswered: true,
  }
}

/** From the record alone, which needs no worker and no call for each run. */
export function recordedState(info: Omit<WorkflowExecutionInfo, 'raw'>): RunState {
  const phase = info.typedSearchAttributes.get(phaseAttribute)
  const kind = info.typedSearchAttributes.get(kindAttribute)
  const pointId = info.typedSearchAttributes.get(recoveryPointAttribute)
  return {
    workflowId: info.workflowId,
    runId: info.runId,
    type: info.type,
    status: info.status.name,
    startedAt: info.startTime.toISOString(),
    ...(info.closeTime !== undefined && { closedAt: info.closeTime.toISOString() }),
    ...(phase !== undefined && { phase }),
    ...(kind !== undefined && { kind }),
    ...(pointId !== undefined && { pointId }),
    isAnswered: false,
  }
}

/** It is open and has figures, and no worker tells them. */
export function isUnanswered({ status, type, isAnswered }: RunState): boolean {
  return status === 'RUNNING' && !isAnswered && !RUNS_OF_RUNS.includes(type)
}

/** Any failure means the same here: nobody tells, so the record has to do. */
async function queryProgress(
  link: TemporalLink,
  { workflowId, runId, type }: WorkflowExecutionDescription,
): Promise<Progress | undefined> {
  if (RUNS_OF_RUNS.includes(type)) return undefined
  try {
    return await link.connection.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
      link.client.workflow.getHandle(workflowId, runId).query<Progress>('progress'),
    )
  } catch {
    return undefined
  }
}

function bytesInFlight(description: WorkflowExecutionDescription): number {
  return heartbeatsOf(description).reduce<number>((bytes, details) => bytes + movedBytesOf(details), 0)
}

/** Of `copySnapshot`, which asks Azure now and then. */
function copyPercentOf(description: WorkflowExecutionDescription): number | undefined {
  for (const details of heartbeatsOf(description)) {
    if (typeof details !== 'object' || details === null || !('completionPercent' in details)) continue
    if (typeof details.completionPercent === 'number') return details.completionPercent
  }
  return undefined
}

function heartbeatsOf({ raw }: WorkflowExecutionDescription): unknown[] {
  return (raw.pendingActivities ?? []).flatMap(({ heartbeatDetails }) => {
    const payload = heartbeatDetails?.payloads?.[0]
    return payload === undefined ? [] : [defaultPayloadConverter.fromPayload(payload)]
  })
}

/** Only a `TransferCheckpoint` counts; other activities heartbeat other things. */
function movedBytesOf(details: unknown): number {
  if (typeof details !== 'object' || details === null || !('extentIndex' in details) || !('movedBytes' in details))
    return 0
  return typeof details.movedBytes === 'number' ? details.movedBytes : 0
}
