/** Lists runs from Temporal's visibility store, which is eventually consistent by a second or so, and renders them. */
import type { TemporalLink } from '../temporal/connect.ts'
import { formatEta, formatRate, formatRelative, formatSeconds, percentOf } from './format.ts'
import { describeRetry } from './pending-retries.ts'
import { readRunState, recordedState, type RunState } from './run-state.ts'
import { renderTable } from './table.ts'
import { describeWaiting } from './waiting-step.ts'

const TYPES = `WorkflowType IN ('backupDisk', 'restoreDisk', 'restoreGroup', 'verifyPoint', 'drillRestore', 'drillPolicy', 'runPolicy')`
const MAX_CLOSED = 20
/** Each open run costs a description and a query; a fleet must not be asked all at once. */
const MAX_PARALLEL_READS = 16

/** Open runs with their progress, newest first; with `withClosed` the latest that ended as well. */
export async function listRuns(link: TemporalLink, withClosed: boolean): Promise<RunState[]> {
  const open: RunState[] = []
  for await (const info of link.client.workflow.list({ query: `${TYPES} AND ExecutionStatus = 'Running'` })) {
    open.push(recordedState(info))
  }
  const detailed: RunState[] = []
  for (let first = 0; first < open.length; first += MAX_PARALLEL_READS) {
    const batch = open.slice(first, first + MAX_PARALLEL_READS)
    detailed.push(
      ...(await Promise.all(batch.map((run) => readRunState(link, run.workflowId, run.runId).catch(() => run)))),
    )
  }
  const closed: RunState[] = []
  if (withClosed) {
    const query = `${TYPES} AND ExecutionStatus != 'Running'`
    for await (const info of link.client.workflow.list({ query, pageSize: MAX_CLOSED })) {
      closed.push(recordedState(info))
      if (closed.length === MAX_CLOSED) break
    }
  }
  return [...detailed, ...closed]
}

export interface RunListOptions {
  /** Of the terminal; undefined: lines may be of any length. */
  readonly columns?: number | undefined
  /** Bytes per second of an open run that was watched; default: the mean since its transfer began. */
  readonly rateOf?: (run: RunState) => number | undefined
}

export function renderRuns(
  runs: readonly RunState[],
  nowMs: number,
  { columns, rateOf = () => undefined }: RunListOptions = {},
): string {
  if (runs.length === 0) return 'no open runs'
  const table = renderTable(
    ['RUN', 'STATUS', 'KIND', 'PHASE', 'DONE', 'RATE', 'ETA', 'STARTED', 'TOOK'],
    runs.map((run) => {
      const percent = run.copyPercent ?? percentOf(run.movedBytes ?? 0, run.totalBytes)
      const rate = run.phase === 'transfer' ? (rateOf(run) ?? meanRate(run, nowMs)) : undefined
      const restBytes = run.totalBytes === undefined ? undefined : Math.max(0, run.totalBytes - (run.movedBytes ?? 0))
      return [
        run.workflowId,
        run.status.toLowerCase().replaceAll('_', ' '),
        run.kind ?? '-',
        run.status === 'RUNNING' ? (run.phase ?? '-') : '-',
        percent === undefined || run.status !== 'RUNNING' ? '-' : `${percent}%`,
        formatRate(rate),
        run.phase === 'transfer' ? formatEta(restBytes, rate) : '-',
        formatRelative(run.startedAt, nowMs),
        run.closedAt === undefined ? '-' : formatSeconds((Date.parse(run.closedAt) - Date.parse(run.startedAt)) / 1000),
      ]
    }),
    columns,
  )
  return [table, ...troubleLines(runs, nowMs)].join('\n')
}

/** Under the table: a reason is longer than a column. */
function troubleLines(runs: readonly RunState[], nowMs: number): string[] {
  return runs.flatMap(({ workflowId, retries = [], waiting }) => {
    const reasons = [...retries.map((retry) => describeRetry(retry, nowMs)), ...(waiting === undefined ? [] : [describeWaiting(waiting, nowMs)])]
    return reasons.map((reason) => `\n${workflowId}\n  ${reason}`)
  })
}

function meanRate({ movedBytes, transferStartedAt }: RunState, nowMs: number): number | undefined {
  if (movedBytes === undefined || transferStartedAt === undefined) return undefined
  const seconds = (nowMs - Date.parse(transferStartedAt)) / 1000
  return seconds > 0 ? movedBytes / seconds : undefined
}
