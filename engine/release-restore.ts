/** Ends a restore: the upload is closed and the disk handed over, or, where it did not succeed, taken away again. */
import { deleteDisk, findDisk } from '../azure/disks.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import { isSameRequest } from '../domain/tags.ts'
import type { Engine } from './engine.ts'
import type { PlannedRestore } from './plan-restore.ts'

/**
 * Ends the write access, which makes the upload a disk. Safe to run twice.
 *
 * @throws BackupError AzureRefused when Azure does not accept what was uploaded.
 */
export async function handOver(engine: Engine, disk: PlannedRestore['disk'], signal?: AbortSignal): Promise<void> {
  await engine.exports.revoke(disk.id, signal)
  const found = await findDisk(engine.azure, disk.id, signal)
  if (found !== undefined && found.state !== 'ActiveUpload' && found.state !== 'ReadyToUpload') return
  throw new BackupError({
    type: 'AzureUnavailable',
    message: `disk ${disk.id} is ${found === undefined ? 'not there' : `still in state ${found.state}`} after its upload was closed`,
    facts: { diskId: disk.id },
  })
}

/** Deletes the half-made disk, if it is the one that this restore made. Safe to run twice. */
export async function abandon(engine: Engine, disk: PlannedRestore['disk'], signal?: AbortSignal): Promise<void> {
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
