import type { ComputeState } from './compute-state.ts'
import type { DiskRestorePoint, DiskSnapshot } from './disk-model.ts'
import { formatResourceId } from './resource-id.ts'

/**
 * How far the copy behind a snapshot is: that of an Ultra or Premium SSD v2 disk, or a `CopyStart` from another
 * snapshot. Nothing runs; the percentage is a matter of the clock. Every other snapshot is complete at once.
 *
 * A fault that stalls it is asked for as operation `CompletionPercent`, each time that the percentage matters.
 */

type CopyState = Pick<ComputeState, 'clock' | 'faults'>

/** In whole percent, rounded down; 100 only when the copy has ended well. */
export function completionPercent(state: CopyState, point: DiskSnapshot | DiskRestorePoint): number {
  if (point.kind === 'snapshot' && point.copyFailure !== undefined) return point.copyFailure.percent
  const wholeMs = point.completeAt.getTime() - point.timeCreated.getTime()
  if (wholeMs === 0) return 100
  const passedMs = state.clock().getTime() - point.timeCreated.getTime()
  const percent = Math.min(100, Math.max(0, Math.floor((100 * passedMs) / wholeMs)))
  const call = { operation: 'CompletionPercent', resource: formatResourceId(point.id) }
  const stalls = state.faults.draw(call, ['stallCompletion'])
  return Math.min(percent, ...stalls.map(({ effect }) => effect.percent))
}

export function isCopying(state: CopyState, snapshot: DiskSnapshot): boolean {
  return snapshot.copyFailure === undefined && completionPercent(state, snapshot) < 100
}

/** `snapshotAccessState`: whether a snapshot can be exported, and whether a disk of it would be fast at once. */
export function snapshotAccessState(
  state: CopyState,
  snapshot: DiskSnapshot,
): 'Pending' | 'Available' | 'InstantAccess' | 'AvailableWithInstantAccess' {
  const isInstant = snapshot.instantAccessUntil !== undefined && state.clock() < snapshot.instantAccessUntil
  if (completionPercent(state, snapshot) < 100) return isInstant ? 'InstantAccess' : 'Pending'
  return isInstant ? 'AvailableWithInstantAccess' : 'Available'
}
