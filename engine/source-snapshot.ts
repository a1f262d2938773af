/** Whether a disk can be made from the source snapshot of a point: fast, but only in its region and while it lives. */
import { findSnapshot } from '../azure/snapshots.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import { isSameRegion } from '../domain/region.ts'
import { originLabel, type RestoreOrigin } from '../domain/restore-request.ts'
import type { Engine } from './engine.ts'

/** The snapshot that the content of a restore was copied from. */
export interface SnapshotRef {
  readonly snapshotId: string
  readonly snapshotUniqueId: string
}

export interface SnapshotUse {
  readonly origin: RestoreOrigin
  /** The disk to make. */
  readonly disk: { readonly location: string }
}

/** @throws BackupError SourceSnapshotNotFound | RegionMismatch | SnapshotAccessBusy */
export async function requireSourceSnapshot(
  engine: Engine,
  { snapshotId, snapshotUniqueId }: SnapshotRef,
  { origin, disk }: SnapshotUse,
  signal?: AbortSignal,
): Promise<void> {
  const found = await findSnapshot(engine.azure, snapshotId, signal)
  const facts = { snapshotId }
  if (found === undefined || found.uniqueId.toLowerCase() !== snapshotUniqueId.toLowerCase()) {
    throw new BackupError({
      type: 'SourceSnapshotNotFound',
      message: `the source snapshot ${snapshotId} of ${originLabel(origin)} is ${found === undefined ? 'gone' : 'another one by now'}; normally that of the newest point alone is kept. Restore without --source-snapshot`,
      facts,
    })
  }
  if (!isSameRegion(found.location, disk.location)) {
    throw new BackupError({
      type: 'RegionMismatch',
      message: `the source snapshot ${snapshotId} is in ${found.location}, and a disk can be made of it there only; restore without --source-snapshot, or with --region ${found.location}`,
      facts,
    })
  }
  if (found.isReadable) return
  throw new BackupError({ type: 'SnapshotAccessBusy', message: `the source snapshot ${snapshotId} is not complete yet (${found.completionPercent ?? 0} percent); it is tried again later`, facts })
}

/** Why there is no such way, or undefined where there is. */
export async function obstacleToSourceSnapshot(
  engine: Engine,
  snapshot: SnapshotRef,
  use: SnapshotUse,
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    await requireSourceSnapshot(engine, snapshot, use, signal)
    return undefined
  } catch (error) {
    if (!isFailure(error)) throw error
    return error.message
  }
}
