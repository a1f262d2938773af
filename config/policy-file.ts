/**
 * From the policies of a checked file to what is scheduled: every default filled in, every duration in milliseconds.
 *
 * The `policy` part travels to the workflows; the rest is the Schedule's.
 */
import type { DrillRule } from '../domain/drill.ts'
import type { Policy, VerificationRule, VerifyRule } from '../domain/policy.ts'
import type { ConfigInput } from './config-schema.ts'
import type { DrillInput } from './drill-schema.ts'
import type { PolicyInput } from './policy-schema.ts'
import type { PolicySchedule } from './schedule-schema.ts'

const MINUTE_MS = 60_000
const MAX_DEFAULT_JITTER_MS = 10 * MINUTE_MS
const DEFAULT_CRON_JITTER_MS = 5 * MINUTE_MS
const DEFAULT_CRON_CATCH_UP_MS = 60 * MINUTE_MS

export interface PolicySpec {
  readonly policy: Policy
  readonly schedule: PolicySchedule
  readonly jitterMs: number
  readonly catchUpWindowMs: number
  /** Of a new schedule only; afterwards the operator's pause counts. */
  readonly isPaused: boolean
  readonly drill?: DrillSpec
}

/** The drills of a policy: when, and how. */
export interface DrillSpec extends Pick<PolicySpec, 'schedule' | 'jitterMs' | 'catchUpWindowMs'> {
  readonly rule: DrillRule
}

export function policySpecsOf(config: ConfigInput): PolicySpec[] {
  return Object.entries(config.policies).map(([name, policy]) => ({
    policy: toPolicy(name, policy, config.target),
    schedule: policy.schedule,
    jitterMs: policy.jitter ?? defaultJitterMs(policy.schedule),
    catchUpWindowMs: policy.catchUpWindow ?? defaultCatchUpWindowMs(policy.schedule),
    isPaused: policy.paused,
    ...(policy.drill !== undefined && { drill: drillSpecOf(policy.drill) }),
  }))
}

function drillSpecOf({ schedule, alertAfter: alertAfterMs, command, ...rule }: DrillInput): DrillSpec {
  return {
    rule: { ...rule, alertAfterMs, ...(command !== undefined && { command }) },
    schedule,
    jitterMs: defaultJitterMs(schedule),
    catchUpWindowMs: defaultCatchUpWindowMs(schedule),
  }
}

/** Spreads the starts of many policies, so that they do not meet Azure's limits of a subscription in one second. */
function defaultJitterMs(schedule: PolicySchedule): number {
  return schedule.kind === 'cron'
    ? DEFAULT_CRON_JITTER_MS
    : Math.min(MAX_DEFAULT_JITTER_MS, Math.floor(schedule.everyMs / 6000) * 1000)
}

/** One interval: what was missed for longer is made up for by the next start anyway. */
function defaultCatchUpWindowMs(schedule: PolicySchedule): number {
  return schedule.kind === 'cron' ? DEFAULT_CRON_CATCH_UP_MS : schedule.everyMs
}

function toPolicy(name: string, policy: PolicyInput, defaultTarget: string | undefined): Policy {
  const targetUrl = policy.target ?? defaultTarget
  if (targetUrl === undefined) throw new TypeError(`policy ${name} has no target; the schema refuses that`)
  return {
    name,
    targetUrl,
    diskIds: policy.disks,
    options: {
      retention: policy.retention,
      verify: verifyOf(policy.verify),
      ...(policy.snapshotSku !== undefined && { snapshotSku: policy.snapshotSku }),
      ...(policy.snapshotResourceGroup !== undefined && { snapshotResourceGroup: policy.snapshotResourceGroup }),
      ...(policy.copyStart !== undefined && { copyStart: policy.copyStart }),
      ...(policy.transfer !== undefined && { transfer: policy.transfer }),
      ...(policy.reseed !== undefined && { reseed: policy.reseed }),
      ...(policy.stripes !== undefined && { stripes: policy.stripes }),
      ...(policy.maxMibPerSecond !== undefined && { maxMibPerSecond: policy.maxMibPerSecond }),
    },
    maxConcurrentDisks: policy.maxConcurrentDisks,
    ...(policy.verification !== undefined && { verification: verificationOf(policy.verification) }),
  }
}

function verifyOf({ level, ...rule }: PolicyInput['verify']): VerifyRule {
  return { ...rule, ...(level !== undefined && { level }) }
}

function verificationOf({ percent, ...rule }: NonNullable<PolicyInput['verification']>): VerificationRule {
  return { ...rule, ...(percent !== undefined && { percent }) }
}

/** A run notes some 14 events a disk, its verification included. */
const MANY_DISKS = 2000

/** Allowed, but worth a word to whoever wrote it. */
export function policyWarnings(specs: readonly PolicySpec[]): string[] {
  const warnings: string[] = []
  const firstPolicyOf = new Map<string, string>()
  for (const { policy } of specs) {
    if (policy.options.snapshotSku !== undefined) {
      warnings.push(
        `policy ${policy.name} sets snapshotSku: Azure advises against it; ` +
          'without it snapshots are zone-redundant where the region has that',
      )
    }
    if (policy.diskIds.length > MANY_DISKS) {
      warnings.push(
        `policy ${policy.name} has ${policy.diskIds.length} disks: Temporal ends a run whose history grows beyond 51,200 events, ` +
          `which about 3,600 disks bring it to; split the policy, ${MANY_DISKS} disks at most`,
      )
    }
    for (const diskId of policy.diskIds) {
      const key = `${diskId.toLowerCase()} ${policy.targetUrl}`
      const first = firstPolicyOf.get(key)
      if (first === undefined) firstPolicyOf.set(key, policy.name)
      else {
        warnings.push(
          `policies ${first} and ${policy.name} back up the same disk to the same target: the points of both count ` +
            `for each retention, and a run is skipped while the other's is open (${diskId})`,
        )
      }
    }
  }
  return warnings
}
