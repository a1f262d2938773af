/**
 * Puts a restored disk in the place of one that a virtual machine has. The old disk is detached and kept; nothing is made or
 * deleted. An OS disk takes one call of Azure. A data disk takes two, as Azure refuses another one at the same LUN: where the second
 * does not come, a tag of the machine tells the place, and the same swap again goes on from there. Done, it is found done.
 */
import { findDisk } from '../azure/disks.ts'
import { attachInPlaceOf, detachDataDisk, getVm, replaceOsDisk, type VmDisk, type VmStatus } from '../azure/virtual-machines.ts'
import { armIdOf, parseVmId, sameArmId } from '../domain/arm-id.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import { isSameRegion } from '../domain/region.ts'
import { swapMarkOf } from '../domain/swap-mark.ts'
import { isUnchecked } from '../domain/tags.ts'
import type { Engine } from './engine.ts'

export interface SwapRequest {
  readonly vmId: string
  /** Of the disk that the machine has: its name, or its id. */
  readonly disk: string
  readonly newDiskId: string
}

export interface SwapPlan {
  readonly vmId: string
  readonly old: VmDisk
  readonly newDiskId: string
  readonly isDeallocated: boolean
  /** The new disk is in the place already. */
  readonly isDone: boolean
  /** The old disk is detached already, by a swap that was broken off. */
  readonly isBegun: boolean
}

/** @throws BackupError VmNotFound | VmNotReady | SourceDiskNotFound */
export async function planSwap(engine: Engine, { vmId, disk, newDiskId }: SwapRequest, signal?: AbortSignal): Promise<SwapPlan> {
  const vm = await getVm(engine.azure, vmId, signal)
  const common = { vmId: vm.id, newDiskId, isDeallocated: vm.isDeallocated }
  const done = vm.disks.find(({ diskId }) => sameArmId(diskId, newDiskId))
  const present = vm.disks.find(({ name, diskId }) => name.toLowerCase() === disk.toLowerCase() || sameArmId(diskId, disk))
  if (done !== undefined && present === undefined) return { ...common, old: done, isDone: true, isBegun: true }
  const old = present ?? detachedOf(vm, disk)
  if (old === undefined) {
    const names = vm.disks.map(({ name }) => name).join(', ')
    throw new BackupError({ type: 'VmNotFound', message: `virtual machine ${vm.id} has no disk ${disk}; it has ${names === '' ? 'none' : names}`, facts: { vmId } })
  }
  const found = await findDisk(engine.azure, newDiskId, signal)
  const why = found === undefined ? 'it is not there' : unfitness(found, vm.location)
  if (why !== undefined) throw notReady(`disk ${newDiskId} cannot be attached to ${vm.id}: ${why}`)
  if (old.role === 'os' && !vm.isDeallocated) {
    throw notReady(`the OS disk of ${vm.id} can be swapped only when the machine is deallocated: az vm deallocate --ids ${vm.id}`)
  }
  return { ...common, old, isDone: false, isBegun: present === undefined }
}

/** A disk that a swap has detached, while nothing else has come in its place. */
function detachedOf({ id: vmId, tags, disks }: VmStatus, disk: string): VmDisk | undefined {
  const name = disk.slice(disk.lastIndexOf('/') + 1)
  const mark = swapMarkOf(tags, name)
  if (mark === undefined || disks.some(({ lun }) => lun === mark.lun)) return undefined
  const { resourceGroup, ...place } = mark
  const diskId = armIdOf({ subscriptionId: parseVmId(vmId).subscriptionId, resourceGroup, type: 'disks', name }).id
  return { vmId, diskId, name, role: 'data', ...place }
}

export async function swapDisk(engine: Engine, { vmId, old, newDiskId, isDone, isBegun }: SwapPlan, signal?: AbortSignal): Promise<void> {
  if (isDone) return
  if (old.role === 'os') return replaceOsDisk(engine.azure, vmId, newDiskId, signal)
  if (!isBegun) await detachDataDisk(engine.azure, old, signal)
  try {
    await attachInPlaceOf(engine.azure, old, newDiskId, signal)
  } catch (error) {
    if (!isFailure(error)) throw error
    const { type, facts } = error
    throw new BackupError({ type, message: `${error.message}; ${old.diskId} is detached already: the same command again attaches ${newDiskId}`, facts, cause: error })
  }
}

type FoundDisk = NonNullable<Awaited<ReturnType<typeof findDisk>>>

function unfitness({ tags, state, location }: FoundDisk, vmLocation: string): string | undefined {
  if (isUnchecked(tags)) return 'its restore has not ended, so it was not compared with its point (tag snapferry-check)'
  if (!isSameRegion(location, vmLocation)) return `it is in ${location}, the machine in ${vmLocation}`
  return state === undefined || /^unattached$/i.test(state) ? undefined : `its state is ${state}`
}

function notReady(message: string): BackupError {
  return new BackupError({ type: 'VmNotReady', message: `${message}; nothing was changed` })
}
