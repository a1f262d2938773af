/**
 * The Schedules of the policies in Temporal: brought to what the file says, listed, paused, triggered, deleted.
 *
 * Applying twice changes nothing the second time, and never undoes an operator's pause. Recovery points are not touched
 * by anything in here.
 */
import {
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  type ScheduleHandle,
} from '@temporalio/client'
import type { PolicySpec } from '../config/policy-file.ts'
import { policyScheduleId } from '../domain/names.ts'
import type { TemporalLink } from '../temporal/connect.ts'
import { policyAttribute } from '../workflows/search-attributes.ts'
import { taskQueuesOf } from '../workflows/messages.ts'
import { applyDrillSchedules, deleteDrillSchedules, unlessMissing } from './drill-schedules.ts'
import { asConfigMistake, differences, POLICY_WORKFLOW, scheduleOptionsOf } from './policy-schedule.ts'

export interface AppliedPolicy {
  readonly name: string
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'deleted' | 'not in the file'
  /** What was updated. */
  readonly changes?: readonly string[]
  /** Only where it is, or stays, paused. */
  readonly isPaused?: boolean
}

export interface ApplyOptions {
  readonly taskQueuePrefix: string
  /** Deletes the Schedules of policies that the file does not have; those of other task queues are another installation's. */
  readonly prune: boolean
  /** Says what would be done and does nothing. */
  readonly dryRun: boolean
}

/**
 * One after the other: where one is refused, those before it are applied, and applying again goes on from there.
 *
 * @throws BackupError InvalidConfig where the server refuses the times of a policy.
 */
export async function applyPolicies(
  link: TemporalLink,
  specs: readonly PolicySpec[],
  options: ApplyOptions,
): Promise<AppliedPolicy[]> {
  const applied: AppliedPolicy[] = []
  for (const spec of specs) applied.push(await applyWithDrills(link, spec, options))
  const known = new Set(specs.map(({ policy }) => policy.name))
  for (const name of await listPolicyNames(link)) {
    if (known.has(name) || !(await isOfTaskQueue(link, name, options.taskQueuePrefix))) continue
    if (options.prune && !options.dryRun) await unlessMissing(() => deletePolicy(link, name))
    applied.push({ name, outcome: options.prune ? 'deleted' : 'not in the file' })
  }
  return applied
}

async function applyWithDrills(link: TemporalLink, spec: PolicySpec, options: ApplyOptions): Promise<AppliedPolicy> {
  const applied = await applyPolicy(link, spec, options)
  const isChanged = await applyDrillSchedules(link, spec, { ...options, isPaused: applied.isPaused === true })
  if (!isChanged || applied.outcome === 'created') return applied
  return { ...applied, outcome: 'updated', changes: [...(applied.changes ?? []), 'drill'] }
}

/** Those of its drills, then its own: what is left of a deletion that broke off is deleted by the next. @throws ScheduleNotFoundError where there is no such policy. */
export async function deletePolicy(link: TemporalLink, name: string): Promise<void> {
  await deleteDrillSchedules(link, name)
  await policyHandle(link, name).delete()
}

async function applyPolicy(link: TemporalLink, spec: PolicySpec, options: ApplyOptions): Promise<AppliedPolicy> {
  const { taskQueuePrefix, dryRun } = options
  const { name } = spec.policy
  const found = await findSchedule(link, name)
  if (found === undefined) {
    const isCreated = dryRun || (await createSchedule(link, spec, taskQueuePrefix))
    // Somebody else applied at the same moment: theirs is compared like any other.
    if (!isCreated) return applyPolicy(link, spec, options)
    return { name, outcome: 'created', ...(spec.isPaused && { isPaused: true }) }
  }
  const isPaused = found.state.paused ? { isPaused: true } : {}
  const changes = differences(found, spec, taskQueuePrefix)
  if (changes.length === 0) return { name, outcome: 'unchanged', ...isPaused }
  if (!dryRun) await updateSchedule(link, spec, taskQueuePrefix)
  return { name, outcome: 'updated', changes, ...isPaused }
}

/** @returns false where there is one already. */
async function createSchedule(link: TemporalLink, spec: PolicySpec, taskQueuePrefix: string): Promise<boolean> {
  try {
    await link.client.schedule.create(scheduleOptionsOf(spec, taskQueuePrefix))
    return true
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false
    throw asConfigMistake(error, `policy ${spec.policy.name}`, spec.schedule)
  }
}

/**
 * Replaces the times whole: merged into the compiled ones, old times would stay beside the new. Keeps the operator's
 * pause.
 */
async function updateSchedule(link: TemporalLink, spec: PolicySpec, taskQueuePrefix: string): Promise<void> {
  const { scheduleId: _, state: __, ...wanted } = scheduleOptionsOf(spec, taskQueuePrefix)
  try {
    await policyHandle(link, spec.policy.name).update((was) => ({ ...wanted, state: was.state }))
  } catch (error) {
    throw asConfigMistake(error, `policy ${spec.policy.name}`, spec.schedule)
  }
}

/** Eventually consistent: a policy made in this second may be missing. */
export async function listPolicyNames(link: TemporalLink): Promise<string[]> {
  const prefix = policyScheduleId('')
  const names: string[] = []
  for await (const { scheduleId, action } of link.client.schedule.list()) {
    if (scheduleId.startsWith(prefix) && action?.workflowType === POLICY_WORKFLOW)
      names.push(scheduleId.slice(prefix.length))
  }
  return names.sort()
}

export interface DescribedPolicy {
  readonly name: string
  readonly description: ScheduleDescription
  /** Workflow ids. */
  readonly openRuns: readonly string[]
}

/** Every policy's Schedule with its counters and open runs; one that goes away meanwhile is left out. */
export async function describePolicies(link: TemporalLink): Promise<DescribedPolicy[]> {
  const names = await listPolicyNames(link)
  const openRuns = await listOpenRuns(link)
  const described = await Promise.all(names.map(async (name) => ({ name, description: await findSchedule(link, name), openRuns: openRuns.get(name) ?? [] })))
  return described.flatMap(({ description, ...policy }) => (description === undefined ? [] : [{ ...policy, description }]))
}

/** By policy. A Schedule itself keeps no account of runs that may be open side by side. */
async function listOpenRuns(link: TemporalLink): Promise<Map<string, string[]>> {
  const runs = new Map<string, string[]>()
  const query = `WorkflowType = '${POLICY_WORKFLOW}' AND ExecutionStatus = 'Running'`
  for await (const { workflowId, typedSearchAttributes } of link.client.workflow.list({ query })) {
    const policy = typedSearchAttributes.get(policyAttribute)
    if (policy !== undefined) runs.set(policy, [...(runs.get(policy) ?? []), workflowId])
  }
  return runs
}

/** Its methods throw ScheduleNotFoundError where there is no such policy. */
export function policyHandle(link: TemporalLink, name: string): ScheduleHandle {
  return link.client.schedule.getHandle(policyScheduleId(name))
}

async function findSchedule(link: TemporalLink, name: string): Promise<ScheduleDescription | undefined> {
  return unlessMissing(() => policyHandle(link, name).describe())
}

async function isOfTaskQueue(link: TemporalLink, name: string, taskQueuePrefix: string): Promise<boolean> {
  return (await findSchedule(link, name))?.action.taskQueue === taskQueuesOf(taskQueuePrefix).control
}
