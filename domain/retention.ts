/** Which recovery points of a chain to keep. Pure; the newest point is always kept. */
import { newestFirst } from './recovery-point.ts'

export interface RetentionRule {
  /** Number of newest points to keep, at least 1. */
  readonly keepLast: number
}

export interface DatedPoint {
  readonly id: string
  readonly takenAt: string
}

/** Splits into what stays and what goes, both newest first. Order of input does not matter; a rule that cannot be read keeps all. */
export function applyRetention<Point extends DatedPoint>(points: readonly Point[], rule: RetentionRule): { keep: Point[]; remove: Point[] } {
  const sorted = newestFirst(points)
  const wanted = Math.floor(rule.keepLast)
  // A rule that is no number, as from the payload of another release, must not read as "keep none".
  const keepLast = Number.isNaN(wanted) ? sorted.length : Math.max(1, wanted)
  return { keep: sorted.slice(0, keepLast), remove: sorted.slice(keepLast) }
}
