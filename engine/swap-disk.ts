/**
 * Puts a restored disk in the place of one that a virtual machine has. The old disk is detached and kept; nothing is made or
 * deleted. One call of Azure, so it is done or not, and a second time it is found done.
 */
import { findDisk } from '../azure/disks.ts'
import { getVm, replaceVmDisk, type VmDisk } from '../azure/virtual-machines.ts'
import { sameArmId } from '../domain/arm-id.ts'
import { BackupError } from '../domain/failures.ts'
import { isSameRegion } from '../domain/region.ts'
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
}

/** @throws BackupError VmNotFound | VmNotReady | SourceDiskNotFound */
export async function planSwap(engine: Engine, { vmId, disk, newDiskId }: SwapRequest, signal?: AbortSignal): Promise<SwapPlan> {
  const vm = await getVm(engine.azure, vmId, signal)
  const common = { vmId: vm.id, newDiskId, isDeallocated: vm.isDeallocated }
  const done = vm.disks.find(({ diskId }) => sameArmId(diskId, newDiskId))
  const old = vm.disks.find(({ name, diskId }) => name.toLowerCase() === disk.toLowerCase() || sameArmId(diskId, disk))
  if (done !== undefined && old === undefined) return { ...common, old: done, isDone: true }
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
  return { ...common, old, isDone: false }
}

export async function swapDisk(engine: Engine, plan: SwapPlan, signal?: AbortSignal): Promise<void> {
  if (plan.isDone) return
  await replaceVmDisk(engine.azure, plan.vmId, plan.old.diskId, plan.newDiskId, signal)
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
