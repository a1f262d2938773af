import { ArmError, notAllowed } from './arm-error.ts'
import { isCopying } from './background-copy.ts'
import type { ComputeState } from './compute-state.ts'
import { isBackgroundCopied, type DiskSnapshot, type ManagedDisk } from './disk-model.ts'

/**
 * How many incremental snapshots a disk may have, and how fast it may get them
 * (MicrosoftDocs/azure-compute-docs, disks-incremental-snapshots.md, "Restrictions").
 */

/** When points in time were made, by the uniqueId of what they are of; those deleted since count as well. */
export interface SnapshotLog {
  record(uniqueId: string, at: Date): void
  countSince(uniqueId: string, since: Date): number
}

export const RATE_WINDOW_MS = 5 * 60 * 1000

/** Forgets what is older than the window. */
export function createSnapshotLog(windowMs: number): SnapshotLog {
  const instantsOf = new Map<string, Date[]>()
  return {
    record(uniqueId, at) {
      const windowStart = at.getTime() - windowMs
      const recent = (instantsOf.get(uniqueId) ?? []).filter((instant) => instant.getTime() > windowStart)
      instantsOf.set(uniqueId, [...recent, at])
    },
    countSince(uniqueId, since) {
      return (instantsOf.get(uniqueId) ?? []).filter((instant) => instant > since).length
    },
  }
}

/** Counts what exists, for a state that was loaded: what was deleted before that does not count any more. */
export function recountSnapshots(state: ComputeState): void {
  const inOrder = <T extends { readonly timeCreated: Date }>(points: Iterable<T>): T[] =>
    [...points].sort((one, other) => one.timeCreated.getTime() - other.timeCreated.getTime())
  for (const { isIncremental, creationData, timeCreated } of inOrder(state.snapshots.all())) {
    const { createOption, sourceUniqueId } = creationData
    if (isIncremental && createOption === 'Copy' && sourceUniqueId !== undefined) {
      state.snapshotLog.record(sourceUniqueId, timeCreated)
    }
  }
  for (const { source, timeCreated } of inOrder(state.restorePoints.all())) {
    state.restorePointLog.record(source.uniqueId, timeCreated)
  }
}

/** All incremental snapshots of this very disk (not of another one of the same name). */
export function incrementalSnapshotsOf(state: ComputeState, disk: ManagedDisk): DiskSnapshot[] {
  return [...state.snapshots.all()].filter(
    (snapshot) => snapshot.isIncremental && snapshot.creationData.sourceUniqueId === disk.uniqueId,
  )
}

/** @throws ArmError 409 when one more incremental snapshot of the disk is too many, now or for the next minutes. */
export function checkSnapshotLimits(state: ComputeState, disk: ManagedDisk): void {
  const settings = state.settings()
  const now = state.clock()
  const existing = incrementalSnapshotsOf(state, disk)
  if (existing.length >= settings.snapshotsPerDisk) {
    throw new ArmError(
      409,
      'SnapshotsLimitReached',
      `The snapshot count was exceeded for a disk: '${disk.id.name}' has ${existing.length} incremental snapshots.`,
    )
  }
  const windowStart = new Date(now.getTime() - RATE_WINDOW_MS)
  const isTooFast = state.snapshotLog.countSince(disk.uniqueId, windowStart) >= settings.snapshotsPerFiveMinutes
  if (settings.enforceSnapshotRate && isTooFast) {
    throw new ArmError(
      409,
      'SnapshotOperationRateExceeded',
      `The rate of snapshot calls is exceeded for disk '${disk.id.name}': ` +
        `${settings.snapshotsPerFiveMinutes} in five minutes.`,
    )
  }
  const pending = existing.filter((snapshot) => isCopying(state, snapshot))
  if (isBackgroundCopied(disk.sku) && pending.length >= settings.pendingBackgroundCopiesPerDisk) {
    throw notAllowed(`Disk '${disk.id.name}' already has ${pending.length} snapshots with a pending background copy.`)
  }
}
