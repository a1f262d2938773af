/**
 * The drills of a policy at a glance, and whether there was silence for too long. Pure: the results of drills are handed in.
 *
 * A drill of a disk counts whoever asked for it. Where each drill takes one disk, the last success of any of them ends the silence;
 * where it takes all, each disk is asked for its own.
 */
import type { DrillRule } from './drill.ts'
import type { DrillResult } from './drill-result.ts'

export interface DrilledDisk {
  readonly diskId: string
  readonly last?: DrillResult
  readonly lastSuccess?: DrillResult
}

export interface Silence {
  /** When the policy is, or was, overdue. */
  readonly dueAt: string
  readonly isOverdue: boolean
  /** The disk that has waited longest, where each is asked for its own. */
  readonly diskId?: string
  /** Absent: no drill ever succeeded. */
  readonly lastSuccessAt?: string
}

/** @param results of that disk, in any order. */
export function drilledDiskOf(diskId: string, results: readonly DrillResult[]): DrilledDisk {
  const newest = results.toSorted((a, b) => Date.parse(b.endedAt) - Date.parse(a.endedAt))
  const [last] = newest
  const lastSuccess = newest.find(({ verdict }) => verdict === 'passed')
  return { diskId, ...(last !== undefined && { last }), ...(lastSuccess !== undefined && { lastSuccess }) }
}

/** @param since what silence is counted from as long as no drill has succeeded. */
export function silenceOf(
  disks: readonly DrilledDisk[],
  rule: Pick<DrillRule, 'disks' | 'alertAfterMs'>,
  { since, now }: { readonly since: string; readonly now: string },
): Silence {
  const successAt = ({ lastSuccess }: DrilledDisk): string | undefined => lastSuccess?.endedAt
  const waited = disks.toSorted((a, b) => Date.parse(successAt(a) ?? since) - Date.parse(successAt(b) ?? since))
  const decides = rule.disks === 'all' ? waited[0] : waited.findLast((disk) => successAt(disk) !== undefined)
  const lastSuccessAt = decides && successAt(decides)
  const dueAt = new Date(Date.parse(lastSuccessAt ?? since) + rule.alertAfterMs).toISOString()
  return {
    dueAt,
    isOverdue: Date.parse(now) > Date.parse(dueAt),
    ...(rule.disks === 'all' && decides !== undefined && { diskId: decides.diskId }),
    ...(lastSuccessAt !== undefined && { lastSuccessAt }),
  }
}
