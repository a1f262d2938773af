/** What `drill list` and the results of drills show. Pure. */
import { parseArmId, sameArmId } from '../domain/arm-id.ts'
import type { DrillRule } from '../domain/drill.ts'
import type { DrillResult } from '../domain/drill-result.ts'
import { drilledDiskOf, silenceOf, type Silence } from '../domain/drill-review.ts'
import type { DrillPolicyResult } from '../workflows/messages.ts'
import { formatBytes, formatInstant, formatRelative, formatSeconds } from './format.ts'
import { renderTable } from './table.ts'

/** A policy of the file that has drills. */
export interface DrillingPolicy {
  readonly name: string
  readonly diskIds: readonly string[]
  readonly rule: DrillRule
  /** What silence is counted from as long as no drill has succeeded; absent: there is nothing to drill yet. */
  readonly since?: string
}

export interface DrillList {
  readonly format: 1
  readonly disks: readonly DrillRow[]
  readonly policies: readonly ({ readonly name: string } & Partial<Silence>)[]
}

export interface DrillRow {
  readonly diskId: string
  /** Of the file; else the one that asked for the last drill. */
  readonly policy?: string
  readonly last?: DrillResult
  readonly lastSuccessAt?: string
  /** Of the last drill that passed. */
  readonly rtoSeconds?: number
  /** Absent: no policy of the file says how long silence may be. */
  readonly isOverdue?: boolean
}

export function drillListOf(results: readonly DrillResult[], policies: readonly DrillingPolicy[], now: string): DrillList {
  const diskIds = [...policies.flatMap((policy) => policy.diskIds), ...results.map(({ diskId }) => diskId)]
  const unique = diskIds.filter((id, index) => diskIds.findIndex((other) => sameArmId(other, id)) === index)
  const drilled = unique.map((diskId) => drilledDiskOf(diskId, results.filter((result) => sameArmId(result.diskId, diskId))))
  const silences = policies.map((policy) => {
    const disks = drilled.filter(({ diskId }) => policy.diskIds.some((id) => sameArmId(id, diskId)))
    const since = policy.since ?? disks.find(({ lastSuccess }) => lastSuccess !== undefined)?.lastSuccess?.endedAt
    return { name: policy.name, ...(since !== undefined && silenceOf(disks, policy.rule, { since, now })) }
  })
  const rows = drilled.map(({ diskId, last, lastSuccess }): DrillRow => {
    const policy = policies.find((one) => one.diskIds.some((id) => sameArmId(id, diskId)))
    const silence = silences.find(({ name }) => name === policy?.name)
    const name = policy?.name ?? last?.policy
    return {
      diskId,
      ...(name !== undefined && { policy: name }),
      ...(last !== undefined && { last }),
      ...(lastSuccess !== undefined && { lastSuccessAt: lastSuccess.endedAt }),
      ...(lastSuccess?.rtoSeconds !== undefined && { rtoSeconds: lastSuccess.rtoSeconds }),
      ...(silence?.isOverdue !== undefined && { isOverdue: silence.isOverdue }),
    }
  })
  return { format: 1, disks: rows, policies: silences }
}

/** What concerns one disk; undefined: all. */
export function onlyDisk(list: DrillList, diskId: string | undefined): DrillList {
  if (diskId === undefined) return list
  const disks = list.disks.filter((row) => sameArmId(row.diskId, diskId))
  return { ...list, disks, policies: list.policies.filter(({ name }) => disks.some(({ policy }) => policy === name)) }
}

/** What nobody must miss, in words; empty: all is well. */
export function alarmsOf({ disks, policies }: DrillList): string[] {
  return [
    ...disks.flatMap(({ diskId, last }) => (last?.verdict === 'failed' ? [`the last drill of ${nameOf(diskId)} failed: ${last.failure?.message}`] : [])),
    ...policies.flatMap(({ name, isOverdue, dueAt }) => (isOverdue === true ? [`the drills of policy ${name} are overdue since ${dueAt}`] : [])),
  ]
}

/** @param columns of the terminal; undefined: as wide as need be. */
export function renderDrills({ disks }: DrillList, nowMs: number, columns?: number): string {
  return renderTable(
    ['DISK', 'POLICY', 'LAST DRILL', 'VERDICT', 'POINT', 'LAST SUCCESS', 'RTO', 'COMPARED', 'OVERDUE'],
    disks.map(({ diskId, policy, last, lastSuccessAt, rtoSeconds, isOverdue }) => [
      nameOf(diskId),
      policy ?? '-',
      last === undefined ? 'never' : formatRelative(last.endedAt, nowMs),
      last?.verdict ?? '-',
      last?.point?.id ?? '-',
      lastSuccessAt === undefined ? '-' : formatInstant(lastSuccessAt),
      rtoSeconds === undefined ? '-' : formatSeconds(rtoSeconds),
      last?.comparedBytes === undefined ? '-' : `${formatBytes(last.comparedBytes)} with ${last.comparedWith === 'digests' ? 'digests' : 'the point'}`,
      isOverdue === undefined ? '-' : isOverdue ? 'OVERDUE' : 'no',
    ]),
    columns,
  )
}

export function describeDrill({ verdict, diskId, point, rtoSeconds, comparedBytes = 0, comparedWith, command }: DrillResult): string {
  const against = comparedWith === 'digests' ? 'its digests' : 'the point itself'
  return [
    `drill ${verdict}: ${nameOf(diskId)} from point ${point?.id} of ${point === undefined ? '-' : formatInstant(point.takenAt)}`,
    `usable after ${formatSeconds(rtoSeconds ?? 0)}, ${formatBytes(comparedBytes)} compared with ${against}`,
    ...(command === undefined ? [] : [`${command.words.join(' ')} ended with ${command.exitCode} after ${formatSeconds(command.seconds)}`]),
  ].join('\n')
}

/** One line a disk. */
export function describeDrills({ disks }: DrillPolicyResult): string {
  return disks
    .map(({ diskId, outcome, pointId, reason, rtoSeconds }) => {
      const how = [pointId, rtoSeconds === undefined ? undefined : `usable after ${formatSeconds(rtoSeconds)}`, reason].filter((part) => part !== undefined)
      return `${nameOf(diskId)} ${outcome}${how.length === 0 ? '' : `: ${how.join(', ')}`}`
    })
    .join('\n')
}

function nameOf(diskId: string): string {
  return parseArmId(diskId, 'disks').name
}
