/**
 * Ends a restore: the upload is closed, the compared disk handed over or made a snapshot of; or, where it did not succeed,
 * everything it made is taken away again. Each step is safe to run twice.
 */
import { deleteDisk, findDisk } from '../azure/disks.ts'
import type { SnapshotStatus } from '../azure/snapshot-model.ts'
import { createSnapshot, deleteSnapshot, findSnapshot } from '../azure/snapshots.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import { isSameRequest, withCheck } from '../domain/tags.ts'
import type { Engine } from './engine.ts'
import { deleteStaged } from './fill-disk.ts'
import { releaseHold } from './hold-point.ts'
import type { PlannedRestore } from './plan-restore.ts'
import { releasePoint } from './point-image.ts'
import { requireUnchanged } from './restore-source.ts'
import { updateAsFarAsTaken } from './update-restored.ts'

/**
 * Ends the write access, which makes the upload a disk. Its tag says that it was not compared yet.
 *
 * @throws BackupError AzureRefused when Azure does not accept what was uploaded.
 */
export async function closeUpload(engine: Engine, disk: PlannedRestore['disk'], signal?: AbortSignal): Promise<void> {
  await engine.exports.revoke(disk.id, signal)
  const found = await findDisk(engine.azure, disk.id, signal)
  if (found !== undefined && found.state !== 'ActiveUpload' && found.state !== 'ReadyToUpload') return
  throw new BackupError({
    type: 'AzureUnavailable',
    message: `disk ${disk.id} is ${found === undefined ? 'not there' : `still in state ${found.state}`} after its upload was closed`,
    facts: { diskId: disk.id },
  })
}

/**
 * Hands over a disk that was compared: its tag says so from here on, and it gets its settings.
 *
 * @returns what is to be done by hand, where Azure refused the settings. @throws BackupError BaseBlobNotClean
 */
export async function handOver(engine: Engine, plan: PlannedRestore, signal?: AbortSignal): Promise<string | undefined> {
  const { job, disk } = plan
  await requireUnchanged(engine, job, signal)
  await releasePoint(engine, job, signal)
  await releaseHold(engine, job, signal)
  const found = await findDisk(engine.azure, disk.id, signal)
  const tags = withCheck(found?.tags ?? disk.tags, verdictOf(plan))
  return updateAsFarAsTaken(engine, disk.id, tags, plan.snapshot === undefined ? plan.settings : {}, signal)
}

/**
 * Begins the snapshot of a compared disk, or finds the one that was begun. It is whole when it `isReadable`.
 *
 * @throws BackupError SnapshotFailed where it will never be.
 */
export async function snapshotDisk(engine: Engine, plan: PlannedRestore, signal?: AbortSignal): Promise<SnapshotStatus> {
  const { disk, snapshot } = plan
  if (snapshot === undefined) throw new RangeError('no snapshot was asked for')
  const { dataAccessAuthMode } = disk.shape
  const found = await findDisk(engine.azure, disk.id, signal)
  const status = await createSnapshot(
    engine.azure,
    {
      id: snapshot.id,
      diskId: disk.id,
      diskUniqueId: found?.uniqueId ?? '',
      location: disk.location,
      isIncremental: snapshot.isIncremental,
      access: { ...plan.settings.network, ...(dataAccessAuthMode !== undefined && { dataAccessAuthMode }) },
      tags: withCheck(disk.tags, verdictOf(plan)),
    },
    signal,
  )
  if (status.failure === undefined) return status
  throw new BackupError({
    type: 'SnapshotFailed',
    message: `Azure could not make snapshot ${snapshot.id}: ${status.failure}; what the restore made is taken away, so that it can be started again`,
    facts: { snapshotId: snapshot.id },
  })
}

/** Deletes the disk that a restore made, in whatever state it is. One of another request stays. */
export async function deleteRestoredDisk(engine: Engine, disk: Pick<PlannedRestore['disk'], 'id' | 'tags'>, signal?: AbortSignal): Promise<void> {
  const found = await findDisk(engine.azure, disk.id, signal)
  if (found === undefined || !isSameRequest(found.tags, disk.tags)) return
  try {
    await engine.exports.revoke(disk.id, signal)
  } catch (error) {
    // An upload without its footer does not close well ("Disk is expected to have cookie value"); its access ends all the same,
    // and where it does not, the deletion says so.
    if (!isFailure(error, 'AzureRefused')) throw error
  }
  await deleteDisk(engine.azure, disk.id, signal)
}

/** Takes away what a restore has made that did not succeed: disk, snapshot, temporary blob; each as far as it can. */
export async function abandon(engine: Engine, plan: PlannedRestore, signal?: AbortSignal): Promise<void> {
  const { disk, snapshot } = plan
  const steps = [
    () => (snapshot === undefined ? Promise.resolve() : deleteOwnSnapshot(engine, snapshot.id, plan, signal)),
    () => deleteRestoredDisk(engine, disk, signal),
    () => deleteStaged(engine, plan, signal),
    () => releasePoint(engine, plan.job, signal),
    () => releaseHold(engine, plan.job, signal),
  ]
  const outcomes = await Promise.allSettled(steps.map((step) => step()))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

async function deleteOwnSnapshot(engine: Engine, snapshotId: string, { disk }: PlannedRestore, signal?: AbortSignal): Promise<void> {
  const found = await findSnapshot(engine.azure, snapshotId, signal)
  if (found !== undefined && isSameRequest(found.tags, disk.tags)) await deleteSnapshot(engine.azure, snapshotId, signal)
}

function verdictOf({ isUncompared = false }: PlannedRestore): 'passed' | 'none' {
  return isUncompared ? 'none' : 'passed'
}
