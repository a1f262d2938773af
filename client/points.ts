/** Recovery points as lines and tables. */
import { parseArmId } from '../domain/arm-id.ts'
import { describeRanges, totalBytes } from '../domain/byte-range.ts'
import { differsFrom, type Verified } from '../domain/point-check.ts'
import type { AnyPoint } from '../domain/recovery-point.ts'
import { formatBytes, formatInstant, formatRelative, formatSeconds } from './format.ts'
import { renderTable } from './table.ts'

/** What a finished backup says: the point, how it came about, what it cost, what was proved. */
export function describePoint(point: AnyPoint): string {
  const cause = point.reseedCause === null ? '' : ` (${point.reseedCause})`
  const { comparedBytes, rounds } = point.verification
  if ('copiedSnapshot' in point) {
    const { id, location } = point.copiedSnapshot
    return [
      `recovery point ${point.id} of ${formatInstant(point.takenAt)}`,
      `${point.kind}: copied by Azure to ${location} in ${formatSeconds(point.seconds)}, ${formatBytes(comparedBytes)} compared`,
      `snapshot ${id}`,
    ].join('\n')
  }
  const streamed = point.transfer === 'stream' ? ` streamed (${point.streamCause})` : ''
  const saved = point.savedBytes === undefined ? '' : `${formatBytes(point.savedBytes)} found equal, `
  const repaired = rounds > 1 ? ` in ${rounds} rounds` : ''
  return [
    `recovery point ${point.id} of ${formatInstant(point.takenAt)}`,
    `${point.kind}${cause}: ${formatBytes(point.movedBytes)} moved${streamed} in ${formatSeconds(point.seconds)} ` +
      `by ${point.requests} requests, ${formatBytes(point.clearedBytes)} cleared, ${saved}` +
      `${formatBytes(comparedBytes)} compared${repaired}`,
    ...(point.mended === undefined ? [] : [`${formatBytes(totalBytes(point.mended))} that were damaged were read again from the source`]),
  ].join('\n')
}

function kindOf(point: AnyPoint): string {
  if ('copiedSnapshot' in point) return `${point.kind}, copy-start`
  return point.transfer === 'stream' ? `${point.kind}, streamed` : point.kind
}

/** `full`, `sample 3.3 %`. */
export function describeLevel({ level, percent }: Verified): string {
  return percent === undefined ? level : `${level} ${Number(percent.toPrecision(2))} %`
}

/** What was found out since it was sealed. */
function describeCheck({ suspect, verified }: AnyPoint, nowMs: number): string {
  if (suspect !== undefined) return 'SUSPECT'
  return verified === undefined ? '-' : `${describeLevel(verified)} ${formatRelative(verified.at, nowMs)}`
}

/** A sentence for each point that must not be restored without a thought. */
export function suspicionsOf(points: readonly AnyPoint[]): string[] {
  return points.flatMap(({ id, suspect }) => {
    if (suspect === undefined) return []
    const { since, ranges, mendedBy, unreadable } = suspect
    if (unreadable !== undefined) return [`suspect: ${id}: ${unreadable}`]
    const where = ranges.length === 0 ? '' : ` at ${describeRanges(ranges, 3)}`
    const next = mendedBy === undefined ? 'the next backup reads these ranges again' : `point ${mendedBy} and later ones have them right`
    return [`suspect since ${formatInstant(since)}: ${id} differs from ${differsFrom(suspect)}${where}; ${next}`]
  })
}

/** @param columns of the terminal; undefined: as wide as need be. */
export function renderPoints(points: readonly AnyPoint[], nowMs: number, columns?: number): string {
  return renderTable(
    ['POINT', 'DISK', 'TAKEN', 'AGE', 'KIND', 'SIZE', 'CHANGED', 'COMPARED', 'CHECKED'],
    points.map((point) => [
      point.id,
      parseArmId(point.diskId, 'disks').name,
      formatInstant(point.takenAt),
      formatRelative(point.takenAt, nowMs),
      kindOf(point),
      formatBytes(point.sizeBytes),
      formatBytes(point.changedBytes),
      formatBytes(point.verification.comparedBytes),
      describeCheck(point, nowMs),
    ]),
    columns,
  )
}
