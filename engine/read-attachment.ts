/** How a disk is attached to its virtual machine, which a restore of the machine as a whole is told by. Reads only. */
import { getVm } from '../azure/virtual-machines.ts'
import { sameArmId } from '../domain/arm-id.ts'
import { isFailure } from '../domain/failures.ts'
import type { SourceDisk } from '../domain/source-disk.ts'
import type { Engine } from './engine.ts'

/**
 * A machine that may not be read, or is gone, does not stand in the way of a backup: then the point does not tell.
 *
 * @throws BackupError of what passes, such as throttling: the step is tried again.
 */
export async function withAttachment(engine: Engine, disk: SourceDisk, signal?: AbortSignal): Promise<SourceDisk> {
  if (disk.managedBy === undefined) return disk
  try {
    const { disks } = await getVm(engine.azure, disk.managedBy, signal)
    const found = disks.find(({ diskId }) => sameArmId(diskId, disk.id))
    if (found === undefined) return disk
    const { diskId: _diskId, name: _name, ...attachment } = found
    return { ...disk, attachment }
  } catch (error) {
    if (isFailure(error) && error.retry === 'never') return disk
    throw error
  }
}
