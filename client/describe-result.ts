/** The results of runs in a few lines, for people. */
import { parseArmId } from '../domain/arm-id.ts'
import type { AnyPoint } from '../domain/recovery-point.ts'
import { originLabel } from '../domain/restore-request.ts'
import type { BackupDiskResult, DiskOutcome, RestoreDiskResult, RunPolicyResult, VerifyPointResult } from '../workflows/messages.ts'
import { formatBytes, formatInstant, formatSeconds } from './format.ts'
import { describePoint } from './points.ts'

export function describeBackup({ point }: BackupDiskResult<AnyPoint>): string {
  return describePoint(point)
}

export function describeRestore(result: RestoreDiskResult): string {
  const { origin, resourceId } = result
  const kind = /\/snapshots\//i.test(resourceId) ? 'snapshot' : 'disk'
  return [
    `${kind} ${resourceId} holds ${originLabel(origin)}${origin.takenAt === undefined ? '' : ` of ${formatInstant(origin.takenAt)}`}`,
    `${formatBytes(result.movedBytes)} of ${formatBytes(result.sizeBytes)} moved ` +
      `in ${formatSeconds(result.seconds)}, ${formatBytes(result.comparedBytes)} compared`,
  ].join('\n')
}

export function describeVerification({ point, level, choice, comparedBytes, comparedChunks, comparedSourceBytes }: VerifyPointResult): string {
  const sample = choice.kind === 'sample' ? ` (${choice.percent} %, seed ${choice.seed})` : ''
  const source = comparedSourceBytes === undefined ? '' : `, and ${formatBytes(comparedSourceBytes)} of the source snapshot with the same`
  return [
    `recovery point ${point.id} of ${formatInstant(point.takenAt)} is as it was sealed`,
    `${level}${sample}: ${formatBytes(comparedBytes)} in ${comparedChunks} chunks compared with their digests${source}`,
  ].join('\n')
}

/** One line a disk. */
export function describePolicyRun({ disks }: RunPolicyResult): string {
  return disks.map(outcomeLine).join('\n')
}

function outcomeLine({ diskId, outcome, pointId, reason }: DiskOutcome): string {
  const { name } = parseArmId(diskId, 'disks')
  return `${name} ${outcome}${pointId === undefined ? '' : `: recovery point ${pointId}`}${reason === undefined ? '' : `: ${reason}`}`
}
