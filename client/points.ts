/** Recovery points as lines and tables. */
import { parseArmId } from '../domain/arm-id.ts'
import type { RecoveryPoint } from '../domain/recovery-point.ts'
import { formatBytes, formatInstant, formatRelative, formatSeconds } from './format.ts'
import { renderTable } from './table.ts'

/** What a finished backup says: the point, how it came about, what it cost, what was proved. */
export function describePoint(point: RecoveryPoint): string {
  const cause = point.reseedCause === null ? '' : ` (${point.reseedCause})`
  const { comparedBytes, rounds } = point.verification
  const streamed = point.transfer === 'stream' ? ` streamed (${point.streamCause})` : ''
  const repaired = rounds > 1 ? ` in ${rounds} rounds` : ''
  return [
    `recovery point ${point.id} of ${formatInstant(point.takenAt)}`,
    `${point.kind}${cause}: ${formatBytes(point.movedBytes)} moved${streamed} in ${formatSeconds(point.seconds)} ` +
      `by ${point.requests} requests, ${formatBytes(point.clearedBytes)} cleared, ` +
      `${formatBytes(comparedBytes)} compared${repaired}`,
  ].join('\n')
}

/** @param columns of the terminal; undefined: as wide as need be. */
export function renderPoints(points: readonly RecoveryPoint[], nowMs: number, columns?: number): string {
  return renderTable(
    ['POINT', 'DISK', 'TAKEN', 'AGE', 'KIND', 'SIZE', 'CHANGED', 'COMPARED'],
    points.map((point) => [
      point.id,
      parseArmId(point.diskId, 'disks').name,
      formatInstant(point.takenAt),
      formatRelative(point.takenAt, nowMs),
      point.transfer === 'stream' ? `${point.kind}, streamed` : point.kind,
      formatBytes(point.sizeBytes),
      formatBytes(point.changedBytes),
      formatBytes(point.verification.comparedBytes),
    ]),
    columns,
  )
}
