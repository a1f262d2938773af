/**
 * A policy as a Temporal Schedule, and how far the Schedule that is there differs from it. Pure.
 *
 * Cron lines come back from the server compiled into calendars; each calendar keeps the text behind `#` as its comment,
 * so the line itself is put there. A spec that somebody changed by hand has lost it and shows as different.
 */
import { isDeepStrictEqual } from 'node:util'
import type {
  ScheduleDescription,
  ScheduleOptions,
  ScheduleOptionsStartWorkflowAction,
  ScheduleSpec,
} from '@temporalio/client'
import { formatDurationMs } from '../config/duration.ts'
import type { PolicySpec } from '../config/policy-file.ts'
import type { PolicySchedule } from '../config/schedule-schema.ts'
import { BackupError } from '../domain/failures.ts'
import { policyScheduleId } from '../domain/names.ts'
import type { BackupOptions } from '../domain/policy.ts'
import { parseTargetUrl } from '../domain/target-url.ts'
import type { runPolicy } from '../workflows/index.ts'
import { taskQueuesOf, type RunPolicyInput } from '../workflows/messages.ts'
import { policyAttribute } from '../workflows/search-attributes.ts'
import { plural } from './format.ts'

export const POLICY_WORKFLOW = 'runPolicy'

export type PolicyScheduleOptions = ScheduleOptions<ScheduleOptionsStartWorkflowAction<typeof runPolicy>>

/** What the Schedule of a policy has to be. Its paused state is that of a new one. */
export function scheduleOptionsOf(spec: PolicySpec, taskQueuePrefix: string): PolicyScheduleOptions {
  const { policy } = spec
  const scheduleId = policyScheduleId(policy.name)
  const attributes = [{ key: policyAttribute, value: policy.name }]
  return {
    scheduleId,
    spec: { ...timesOf(spec.schedule), jitter: spec.jitterMs },
    action: {
      type: 'startWorkflow',
      workflowType: POLICY_WORKFLOW,
      workflowId: scheduleId,
      taskQueue: taskQueuesOf(taskQueuePrefix).control,
      args: [{ policy }],
      staticSummary: summaryOf(spec),
      typedSearchAttributes: attributes,
    },
    // One disk that takes days must not keep the others from their backups: a run beside an open one leaves out what is under way.
    policies: { overlap: 'ALLOW_ALL', catchupWindow: spec.catchUpWindowMs, pauseOnFailure: false },
    typedSearchAttributes: attributes,
    state: { paused: spec.isPaused, ...(spec.isPaused && { note: 'paused by snapferry.yaml' }) },
  }
}

/** `every 4h`, `at 0 2 * * * (UTC)`. */
export function describeTimes(schedule: PolicySchedule): string {
  if (schedule.kind === 'cron') return `at ${schedule.cron} (${schedule.timeZone})`
  const offset = schedule.offsetMs > 0 ? ` + ${formatDurationMs(schedule.offsetMs)}` : ''
  return `every ${formatDurationMs(schedule.everyMs)}${offset}`
}

/**
 * The times of a Schedule as the server describes it.
 *
 * @returns undefined where snapferry did not write them like that.
 */
export function timesFromDescription({ spec }: Pick<ScheduleDescription, 'spec'>): PolicySchedule | undefined {
  const calendars = spec.calendars ?? []
  const [interval, ...otherIntervals] = spec.intervals ?? []
  if (interval !== undefined) {
    if (calendars.length > 0 || otherIntervals.length > 0) return undefined
    return { kind: 'every', everyMs: interval.every, offsetMs: interval.offset ?? 0 }
  }
  const [cron, ...others] = new Set(calendars.map(({ comment }) => comment))
  if (cron === undefined || cron === '' || others.length > 0) return undefined
  return { kind: 'cron', cron, timeZone: spec.timezone ?? 'UTC' }
}

/** Names of what differs, in the words of snapferry.yaml where it has one; empty: nothing to update. */
export function differences(found: ScheduleDescription, wanted: PolicySpec, taskQueuePrefix: string): string[] {
  const options = scheduleOptionsOf(wanted, taskQueuePrefix)
  const [input] = found.action.args ?? []
  const foundPolicy = (input as Partial<RunPolicyInput> | undefined)?.policy
  const pairs: Record<string, readonly [unknown, unknown]> = {
    schedule: [timesFromDescription(found), wanted.schedule],
    jitter: [found.spec.jitter ?? 0, wanted.jitterMs],
    catchUpWindow: [found.policies.catchupWindow, wanted.catchUpWindowMs],
    overlap: [found.policies.overlap, options.policies?.overlap],
    pauseOnFailure: [found.policies.pauseOnFailure, false],
    workflow: [found.action.workflowType, POLICY_WORKFLOW],
    workflowId: [found.action.workflowId, options.action.workflowId],
    taskQueue: [found.action.taskQueue, options.action.taskQueue],
    target: [foundPolicy?.targetUrl, wanted.policy.targetUrl],
    disks: [foundPolicy?.diskIds, wanted.policy.diskIds],
    maxConcurrentDisks: [foundPolicy?.maxConcurrentDisks, wanted.policy.maxConcurrentDisks],
    verification: [foundPolicy?.verification, wanted.policy.verification],
    ...optionPairs(foundPolicy?.options, wanted.policy.options),
    summary: [found.action.staticSummary, options.action.staticSummary],
    searchAttribute: [
      [found.typedSearchAttributes.get(policyAttribute), policyOfAction(found)],
      [wanted.policy.name, wanted.policy.name],
    ],
  }
  const different = Object.keys(pairs).filter((name) => {
    const [is, ought] = pairs[name] ?? []
    return !isDeepStrictEqual(is, ought)
  })
  // The summary follows from the rest; on its own it differs only after an upgrade that words it anew.
  return different.length > 1 ? different.filter((name) => name !== 'summary') : different
}

/** Every option of a policy by its name, so that one that is added later is not forgotten here. */
function optionPairs(found: BackupOptions | undefined, wanted: BackupOptions): Record<string, readonly [unknown, unknown]> {
  const names = new Set([...Object.keys(found ?? {}), ...Object.keys(wanted)]) as Set<keyof BackupOptions>
  return Object.fromEntries([...names].map((name) => [name, [found?.[name], wanted[name]] as const]))
}

function policyOfAction({ action }: ScheduleDescription): string | undefined {
  const attributes = action.typedSearchAttributes
  if (attributes === undefined || Array.isArray(attributes)) return undefined
  return attributes.get(policyAttribute)
}

export function timesOf(schedule: PolicySchedule): ScheduleSpec {
  if (schedule.kind === 'cron') {
    return { cronExpressions: [`${schedule.cron} # ${schedule.cron}`], timezone: schedule.timeZone }
  }
  return { intervals: [{ every: schedule.everyMs, offset: schedule.offsetMs }], timezone: 'UTC' }
}

function summaryOf({ policy, schedule }: PolicySpec): string {
  const { account, container } = parseTargetUrl(policy.targetUrl)
  return `Backs up ${plural(policy.diskIds.length, 'disk')} to ${account}/${container} ${describeTimes(schedule)}`
}

/** The client says by a TypeError that the server found times that cannot be, such as minute 99 in a cron line. */
export function asConfigMistake(error: unknown, what: string, schedule: PolicySchedule): unknown {
  if (!(error instanceof TypeError)) return error
  return new BackupError({ type: 'InvalidConfig', message: `${what} cannot run ${describeTimes(schedule)}: ${error.message}`, facts: { what }, cause: error })
}
