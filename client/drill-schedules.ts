/**
 * The two Schedules that a policy with drills has beside its own: one that drills, one that watches for silence.
 *
 * `policy apply` brings them to what the file says; a second time changes nothing. The watch is never paused with the policy: that drills
 * have stopped is what it is there to tell.
 */
import { isDeepStrictEqual } from 'node:util'
import { ScheduleAlreadyRunning, ScheduleNotFoundError, type ScheduleDescription, type ScheduleOptions } from '@temporalio/client'
import type { DrillSpec, PolicySpec } from '../config/policy-file.ts'
import type { PolicySchedule } from '../config/schedule-schema.ts'
import { drillScheduleId, drillWatchScheduleId } from '../domain/names.ts'
import type { TemporalLink } from '../temporal/connect.ts'
import { taskQueuesOf, type DrillPolicyInput, type WatchDrillsInput } from '../workflows/messages.ts'
import { policyAttribute } from '../workflows/search-attributes.ts'
import { plural } from './format.ts'
import { asConfigMistake, describeTimes, timesFromDescription, timesOf } from './policy-schedule.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** What a Schedule has to be. Its paused state is that of a new one. */
interface Wish {
  readonly scheduleId: string
  readonly workflowType: 'drillPolicy' | 'watchDrills'
  readonly times: PolicySchedule
  readonly jitterMs: number
  readonly catchUpWindowMs: number
  readonly input: DrillPolicyInput | WatchDrillsInput
  readonly summary: string
  readonly isPaused: boolean
}

/** @returns whether anything differed. @throws BackupError InvalidConfig where the server refuses the times. */
export async function applyDrillSchedules(
  link: TemporalLink,
  spec: PolicySpec,
  options: { readonly taskQueuePrefix: string; readonly dryRun: boolean; readonly isPaused: boolean },
): Promise<boolean> {
  const { name } = spec.policy
  const drill = spec.drill && drillWish(spec, spec.drill, options.isPaused)
  const found = await find(link, drillWatchScheduleId(name))
  const watch = spec.drill && watchWish(spec, spec.drill, sinceOf(found) ?? new Date().toISOString())
  const changes = [
    await applyOne(link, drillScheduleId(name), drill, spec, options, await find(link, drillScheduleId(name))),
    await applyOne(link, drillWatchScheduleId(name), watch, spec, options, found),
  ]
  return changes.includes(true)
}

/** Those of a policy without drills are not there, which is fine. */
export async function deleteDrillSchedules(link: TemporalLink, policy: string): Promise<void> {
  for (const id of [drillScheduleId(policy), drillWatchScheduleId(policy)]) await unlessMissing(() => link.client.schedule.getHandle(id).delete())
}

export async function pauseDrills(link: TemporalLink, policy: string, isPaused: boolean, reason: string): Promise<void> {
  const handle = link.client.schedule.getHandle(drillScheduleId(policy))
  await unlessMissing(() => (isPaused ? handle.pause(reason) : handle.unpause(reason)))
}

async function applyOne(
  link: TemporalLink,
  id: string,
  wish: Wish | undefined,
  spec: PolicySpec,
  { taskQueuePrefix, dryRun }: { readonly taskQueuePrefix: string; readonly dryRun: boolean },
  found: ScheduleDescription | undefined,
): Promise<boolean> {
  if (wish === undefined) {
    if (found !== undefined && !dryRun) await unlessMissing(() => link.client.schedule.getHandle(id).delete())
    return found !== undefined
  }
  const options = optionsOf(wish, spec.policy.name, taskQueuePrefix)
  if (found !== undefined && isSame(found, wish, options)) return false
  if (dryRun) return true
  try {
    if (found === undefined) await link.client.schedule.create(options)
    else {
      const { scheduleId: _, state: __, ...wanted } = options
      await link.client.schedule.getHandle(id).update((was) => ({ ...wanted, state: was.state }))
    }
  } catch (error) {
    // Somebody else applied at the same moment; the next apply compares theirs.
    if (!(error instanceof ScheduleAlreadyRunning)) throw asConfigMistake(error, `the drills of policy ${spec.policy.name}`, wish.times)
  }
  return true
}

function drillWish({ policy }: PolicySpec, { rule, schedule, jitterMs, catchUpWindowMs }: DrillSpec, isPaused: boolean): Wish {
  const what = rule.disks === 'all' || policy.diskIds.length === 1 ? plural(policy.diskIds.length, 'disk') : `one of ${policy.diskIds.length} disks`
  return {
    scheduleId: drillScheduleId(policy.name),
    workflowType: 'drillPolicy',
    times: schedule,
    jitterMs,
    catchUpWindowMs,
    input: { policy: policy.name, targetUrl: policy.targetUrl, diskIds: policy.diskIds, rule },
    summary: `Drills the restore of ${what} in ${rule.region} ${describeTimes(schedule)}`,
    isPaused,
  }
}

function watchWish({ policy }: PolicySpec, { rule }: DrillSpec, since: string): Wish {
  // Hourly, and often enough for a silence that is short.
  const everyMs = Math.min(HOUR_MS, Math.max(MINUTE_MS, Math.floor(rule.alertAfterMs / 4000) * 1000))
  const { disks, alertAfterMs } = rule
  return {
    scheduleId: drillWatchScheduleId(policy.name),
    workflowType: 'watchDrills',
    times: { kind: 'every', everyMs, offsetMs: 0 },
    jitterMs: 0,
    catchUpWindowMs: everyMs,
    input: { policy: policy.name, targetUrl: policy.targetUrl, diskIds: policy.diskIds, rule: { disks, alertAfterMs }, since },
    summary: `Watches the drills of policy ${policy.name}`,
    isPaused: false,
  }
}

function optionsOf(wish: Wish, policy: string, taskQueuePrefix: string): ScheduleOptions {
  const attributes = [{ key: policyAttribute, value: policy }]
  return {
    scheduleId: wish.scheduleId,
    spec: { ...timesOf(wish.times), jitter: wish.jitterMs },
    action: {
      type: 'startWorkflow',
      workflowType: wish.workflowType,
      workflowId: wish.scheduleId,
      taskQueue: taskQueuesOf(taskQueuePrefix).control,
      args: [wish.input],
      staticSummary: wish.summary,
      typedSearchAttributes: attributes,
    },
    policies: { overlap: 'SKIP', catchupWindow: wish.catchUpWindowMs, pauseOnFailure: false },
    typedSearchAttributes: attributes,
    state: { paused: wish.isPaused, ...(wish.isPaused && { note: 'paused as its policy is' }) },
  }
}

function isSame(found: ScheduleDescription, wish: Wish, { action }: ScheduleOptions): boolean {
  const pairs: readonly (readonly [unknown, unknown])[] = [
    [timesFromDescription(found), wish.times],
    [found.spec.jitter ?? 0, wish.jitterMs],
    [found.policies, { overlap: 'SKIP', catchupWindow: wish.catchUpWindowMs, pauseOnFailure: false }],
    [found.action.workflowType, wish.workflowType],
    [found.action.workflowId, wish.scheduleId],
    [found.action.taskQueue, action.taskQueue],
    [found.action.args, [wish.input]],
    [found.action.staticSummary, wish.summary],
  ]
  return pairs.every(([is, ought]) => isDeepStrictEqual(is, ought))
}

/** Silence goes on counting from where it began, however often the policy is applied. */
function sinceOf(watch: ScheduleDescription | undefined): string | undefined {
  return (watch?.action.args?.[0] as Partial<WatchDrillsInput> | undefined)?.since
}

async function find(link: TemporalLink, id: string): Promise<ScheduleDescription | undefined> {
  return unlessMissing(() => link.client.schedule.getHandle(id).describe())
}

/** @returns undefined where there is no such Schedule. */
export async function unlessMissing<Result>(act: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined
    throw error
  }
}
