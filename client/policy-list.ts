/** What `policy list` shows of a policy's Schedule. */
import type { RunPolicyInput } from '../workflows/messages.ts'
import { formatRelative, plural } from './format.ts'
import { describeTimes, timesFromDescription } from './policy-schedule.ts'
import type { DescribedPolicy } from './schedules.ts'
import { renderTable } from './table.ts'

export interface PolicyRow {
  readonly name: string
  readonly schedule: string
  readonly targetUrl?: string
  readonly diskIds: readonly string[]
  readonly isPaused: boolean
  /** Why it is paused, or what was said when it was resumed. */
  readonly note?: string
  readonly nextRunAt?: string
  readonly lastRunAt?: string
  /** More than one while some of its disks take longer than from one run to the next. */
  readonly openRuns: readonly string[]
  readonly runs: number
  /** Not started, as the server was away for longer than the catch-up window. */
  readonly missed: number
}

export function policyRowOf({ name, description, openRuns }: DescribedPolicy): PolicyRow {
  const { state, info, action } = description
  const policy = (action.args?.[0] as Partial<RunPolicyInput> | undefined)?.policy
  const times = timesFromDescription(description)
  const next = info.nextActionTimes[0]
  const last = info.recentActions.at(-1)?.takenAt
  return {
    name,
    schedule: times === undefined ? 'changed by hand' : describeTimes(times),
    ...(policy !== undefined && { targetUrl: policy.targetUrl }),
    diskIds: policy?.diskIds ?? [],
    isPaused: state.paused,
    ...(state.note !== undefined && state.note !== '' && { note: state.note }),
    ...(next !== undefined && !state.paused && { nextRunAt: next.toISOString() }),
    ...(last !== undefined && { lastRunAt: last.toISOString() }),
    openRuns,
    runs: info.numActionsTaken,
    missed: info.numActionsMissedCatchupWindow,
  }
}

/** @param columns of the terminal; undefined: as wide as need be. */
export function renderPolicies(rows: readonly PolicyRow[], nowMs: number, columns?: number): string {
  if (rows.length === 0) return 'no policies; add some to snapferry.yaml and run "snapferry policy apply"'
  return renderTable(
    ['POLICY', 'WHEN', 'WHAT', 'NEXT RUN', 'LAST RUN', 'OPEN', 'RUNS', 'MISSED', 'NOTE'],
    rows.map((row) => [
      row.name,
      row.schedule,
      plural(row.diskIds.length, 'disk'),
      row.isPaused ? 'paused' : relative(row.nextRunAt, nowMs),
      relative(row.lastRunAt, nowMs),
      String(row.openRuns.length),
      String(row.runs),
      String(row.missed),
      row.note ?? '',
    ]),
    columns,
  )
}

function relative(instant: string | undefined, nowMs: number): string {
  return instant === undefined ? '-' : formatRelative(instant, nowMs)
}
