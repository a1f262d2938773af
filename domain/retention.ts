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

/** Splits into what stays and what goes, both newest first. Order of input does not matter. */
export function applyRetention<Point extends DatedPoint>(points: readonly Point[], rule: RetentionRule): { keep: Point[]; remove: Point[] } {
  const sorted = newestFirst(points)
  const keepLast = Math.max(1, Math.floor(rule.keepLast))
  return { keep: sorted.slice(0, keepLast), remove: sorted.slice(keepLast) }
}
