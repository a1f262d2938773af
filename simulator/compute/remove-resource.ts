import { notAllowed } from './arm-error.ts'
import { completionPercent, isCopying } from './background-copy.ts'
import type { ComputeState } from './compute-state.ts'
import { refuseWhileGranted, withdrawAccess } from './disk-access.ts'
import type { DiskSnapshot, ManagedDisk } from './disk-model.ts'
import { formatResourceId } from './resource-id.ts'

/** The end of disks and snapshots: what stands against it, and what it does to others. */

/** @throws ArmError 409 while a SAS is out or a virtual machine has the disk. */
export function checkDiskDelete(state: ComputeState, disk: ManagedDisk): void {
  refuseWhileGranted(state, disk)
  if (disk.attachedTo === undefined) return
  throw notAllowed(`Disk ${disk.id.name} is attached to VM ${disk.attachedTo.name}.`)
}

/** @throws ArmError 409 while a SAS is out, unless a setting lets that pass. */
export function checkSnapshotDelete(state: ComputeState, snapshot: DiskSnapshot): void {
  if (state.settings().deleteWithAccess === 'refuse') refuseWhileGranted(state, snapshot)
}

/** Whatever its state; a SAS of it ends. */
export function removeDisk(state: ComputeState, disk: ManagedDisk): void {
  withdrawAccess(state, disk)
  state.disks.delete(disk.id)
}

/** Whatever its state; a SAS of it ends, and so do the copies of it that are under way. Later snapshots stay whole. */
export function removeSnapshot(state: ComputeState, snapshot: DiskSnapshot): void {
  withdrawAccess(state, snapshot)
  for (const copy of state.snapshots.all()) {
    if (copy.copiedFrom?.uniqueId !== snapshot.uniqueId || !isCopying(state, copy)) continue
    copy.copyFailure = {
      percent: completionPercent(state, copy),
      message: `The source snapshot '${formatResourceId(snapshot.id)}' was deleted while it was being copied.`,
    }
    state.snapshots.changed(copy)
  }
  state.snapshots.delete(snapshot.id)
}
