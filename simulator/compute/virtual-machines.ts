import { randomUUID } from 'node:crypto'
import { changeNotAllowed, invalidParameter } from './arm-error.ts'
import { requireAttachable, requireDisks, setDisks } from './attach-disks.ts'
import type { ComputeState } from './compute-state.ts'
import { requireRegion } from './regions.ts'
import { removeDisk } from './remove-resource.ts'
import { lookupKey, type ResourceId } from './resource-id.ts'
import type { AttachDetachBody, VmBody, VmUpdate } from './virtual-machine-bodies.ts'
import { attachedDisks, type DataDisk, type VirtualMachine } from './virtual-machine-model.ts'

/** The life of virtual machines. They compute nothing: they hold disks, run or do not, and have restore points. */

/** A new, running virtual machine with its disks, put into the table. @throws ArmError when it cannot have them. */
export function createVirtualMachine(state: ComputeState, id: ResourceId, body: VmBody): VirtualMachine {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(id.name)) throw invalidParameter('virtualMachine.name')
  const location = requireRegion(body.location).name
  const { storageProfile, ...properties } = body.properties
  const disks = requireDisks(state, { id, location }, storageProfile)
  const vm: VirtualMachine = {
    id,
    uniqueId: randomUUID(),
    location,
    timeCreated: state.nextInstant(),
    zones: body.zones,
    tags: body.tags,
    properties,
    osDisk: undefined,
    dataDisks: [],
    isRunning: true,
    provisioningState: 'Creating',
  }
  setDisks(state, vm, disks)
  state.virtualMachines.put(vm)
  return vm
}

/** A PUT on what exists: tags, properties, and the disks it is to have from now on. */
export function replaceVirtualMachine(state: ComputeState, vm: VirtualMachine, body: VmBody): void {
  if (requireRegion(body.location).name !== vm.location) throw changeNotAllowed('location')
  updateVirtualMachine(state, vm, { tags: body.tags, properties: body.properties })
}

/** Applies what the update names and leaves the rest. The OS disk stays when the profile names none. */
export function updateVirtualMachine(state: ComputeState, vm: VirtualMachine, update: VmUpdate): void {
  const { storageProfile, ...properties } = update.properties ?? {}
  if (storageProfile !== undefined) {
    const disks = requireDisks(state, vm, storageProfile)
    refuseExchange(vm, disks.dataDisks)
    setDisks(state, vm, { osDisk: disks.osDisk ?? vm.osDisk, dataDisks: disks.dataDisks })
  }
  if (update.tags !== undefined) vm.tags = update.tags
  vm.properties = { ...vm.properties, ...properties }
  state.virtualMachines.changed(vm)
}

/** A data disk does not become another one in one step. The OS disk may. @throws ArmError 409 PropertyChangeNotAllowed */
function refuseExchange(vm: VirtualMachine, dataDisks: readonly DataDisk[]): void {
  for (const { lun, diskId } of dataDisks) {
    const before = vm.dataDisks.find((disk) => disk.lun === lun)
    if (before !== undefined && lookupKey(before.diskId) !== lookupKey(diskId)) throw changeNotAllowed('dataDisk.managedDisk.id')
  }
}

/** `attachDetachDataDisks`: by id, without the rest of the model. All or nothing. */
export function attachAndDetach(state: ComputeState, vm: VirtualMachine, body: AttachDetachBody): void {
  const leaving = new Set(body.dataDisksToDetach.map(({ diskId }) => diskId.toLowerCase()))
  const dataDisks: DataDisk[] = vm.dataDisks.filter(({ diskId }) => !leaving.has(lookupKey(diskId)))
  for (const { diskId, lun: wantedLun } of body.dataDisksToAttach) {
    const disk = requireAttachable(state, vm, diskId)
    const lun = wantedLun ?? firstFreeLun(dataDisks)
    if (dataDisks.some((other) => other.lun === lun)) throw invalidParameter('lun', `LUN ${lun} is taken.`)
    const properties = { name: disk.id.name, createOption: 'Attach' }
    dataDisks.push({ diskId: disk.id, lun, deleteOption: 'Detach', properties })
  }
  setDisks(state, vm, { osDisk: vm.osDisk, dataDisks })
  state.virtualMachines.changed(vm)
}

/** Lets go of its disks, and deletes those that were to go with it. Restore points of it stay. */
export function removeVirtualMachine(state: ComputeState, vm: VirtualMachine): void {
  const disks = attachedDisks(vm)
  setDisks(state, vm, { osDisk: undefined, dataDisks: [] })
  for (const { diskId, deleteOption } of disks) {
    const disk = state.disks.get(diskId)
    if (disk !== undefined && deleteOption === 'Delete') removeDisk(state, disk)
  }
  state.virtualMachines.delete(vm.id)
}

export function setRunning(state: ComputeState, vm: VirtualMachine, isRunning: boolean): void {
  vm.isRunning = isRunning
  state.virtualMachines.changed(vm)
}

function firstFreeLun(dataDisks: readonly DataDisk[]): number {
  const taken = new Set(dataDisks.map((disk) => disk.lun))
  let lun = 0
  while (taken.has(lun)) lun += 1
  return lun
}
