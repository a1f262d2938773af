import { ArmError, invalidParameter, notAllowed, notSupportedHere } from './arm-error.ts'
import type { ComputeState } from './compute-state.ts'
import { createDisk } from './create-disk.ts'
import { refuseWhileGranted } from './disk-access.ts'
import type { ManagedDisk } from './disk-model.ts'
import { diskBodySchema, parseBody } from './request-bodies.ts'
import { formatResourceId, lookupKey, parseResourceId, type ResourceId } from './resource-id.ts'
import type { DiskAttachment, StorageProfile } from './virtual-machine-bodies.ts'
import { attachedDisks, type AttachedDisk, type VirtualMachine } from './virtual-machine-model.ts'

/** Which disks a virtual machine has: checked as a whole first, then changed. */

type Disks = Pick<VirtualMachine, 'osDisk' | 'dataDisks'>

interface Host {
  readonly id: ResourceId
  readonly location: string
}

/**
 * The disks that a storage profile asks for. An `Empty` data disk is made; everything else must exist.
 * @throws ArmError 400, 404 or 409 for a disk that this virtual machine cannot have.
 */
export function requireDisks(state: ComputeState, host: Host, profile: StorageProfile): Disks {
  const luns = profile.dataDisks.map((disk) => disk.lun)
  if (new Set(luns).size !== luns.length) throw invalidParameter('dataDisks.lun', 'Each needs one of its own.')
  const { osDisk, dataDisks } = profile
  for (const disk of osDisk === undefined ? dataDisks : [osDisk, ...dataDisks]) checkAttachment(state, host, disk)
  return {
    osDisk: osDisk === undefined ? undefined : attachment(state, host, osDisk),
    dataDisks: dataDisks.map((disk) => ({ ...attachment(state, host, disk), lun: disk.lun })),
  }
}

/** Gives the virtual machine these disks and lets go of those that are not among them. */
export function setDisks(state: ComputeState, vm: VirtualMachine, disks: Disks): void {
  const before = attachedDisks(vm)
  vm.osDisk = disks.osDisk
  vm.dataDisks = disks.dataDisks
  const kept = new Set(attachedDisks(vm).map(({ diskId }) => lookupKey(diskId)))
  for (const { diskId } of before) {
    if (!kept.has(lookupKey(diskId))) setHolder(state, diskId, otherHolder(state, vm, diskId))
  }
  for (const { diskId } of attachedDisks(vm)) setHolder(state, diskId, vm.id)
}

/** @throws ArmError unless a disk of this id could be attached to the host now. */
export function requireAttachable(state: ComputeState, host: Host, diskId: string | undefined): ManagedDisk {
  const id = diskId === undefined ? undefined : parseResourceId(diskId)
  const disk = id === undefined ? undefined : state.disks.get(id)
  if (disk === undefined) throw new ArmError(404, 'ResourceNotFound', `The disk '${diskId}' was not found.`)
  if (disk.location !== host.location) {
    throw invalidParameter('location', `Disk '${disk.id.name}' is in another region.`)
  }
  if (disk.upload !== undefined) throw notAllowed(`Disk '${disk.id.name}' is being uploaded.`)
  const isHeldElsewhere = disk.attachedTo !== undefined && lookupKey(disk.attachedTo) !== lookupKey(host.id)
  if (isHeldElsewhere && (disk.performance.maxShares ?? 1) === 1) {
    throw new ArmError(
      409,
      'ConflictingUserInput',
      `Disk '${disk.id.name}' cannot be attached as the disk is already owned by VM '${disk.attachedTo?.name}'.`,
    )
  }
  if (disk.attachedTo === undefined) refuseWhileGranted(state, disk)
  return disk
}

function checkAttachment(state: ComputeState, host: Host, disk: DiskAttachment): void {
  if (disk.createOption === 'Attach') requireAttachable(state, host, disk.managedDisk?.id)
  // What was created is shown with its own option, and sent back with it.
  else if (disk.managedDisk?.id !== undefined) requireAttachable(state, host, disk.managedDisk.id)
  else if (disk.createOption !== 'Empty') throw notSupportedHere(`createOption '${disk.createOption}' of a VM's disk`)
  else if (disk.diskSizeGB === undefined || disk.name === undefined) {
    throw invalidParameter('dataDisks.diskSizeGB', 'An empty disk needs a size and a name.')
  }
}

function attachment(state: ComputeState, host: Host, given: DiskAttachment): AttachedDisk {
  const { managedDisk, deleteOption, ...properties } = given
  const isNew = managedDisk?.id === undefined
  const disk = isNew ? makeEmpty(state, host, given) : requireAttachable(state, host, managedDisk.id)
  return { diskId: disk.id, deleteOption, properties: { name: disk.id.name, ...properties } }
}

function makeEmpty(state: ComputeState, host: Host, given: DiskAttachment): ManagedDisk {
  const { subscriptionId, resourceGroup } = host.id
  const id: ResourceId = { subscriptionId, resourceGroup, type: 'disks', name: given.name ?? '' }
  if (state.disks.get(id) !== undefined) throw notAllowed(`Disk '${formatResourceId(id)}' exists already.`)
  const body = parseBody(diskBodySchema, {
    location: host.location,
    sku: { name: given.managedDisk?.storageAccountType ?? 'Premium_LRS' },
    properties: { creationData: { createOption: 'Empty' }, diskSizeGB: given.diskSizeGB },
  })
  const disk = createDisk(state, id, body)
  disk.provisioningState = 'Succeeded'
  state.disks.changed(disk)
  return disk
}

/** Of a shared disk. */
function otherHolder(state: ComputeState, vm: VirtualMachine, diskId: ResourceId): ResourceId | undefined {
  const has = (other: VirtualMachine): boolean =>
    attachedDisks(other).some((attached) => lookupKey(attached.diskId) === lookupKey(diskId))
  return [...state.virtualMachines.all()].find((other) => other !== vm && has(other))?.id
}

function setHolder(state: ComputeState, diskId: ResourceId, vmId: ResourceId | undefined): void {
  const disk = state.disks.get(diskId)
  if (disk === undefined) return
  disk.attachedTo = vmId
  state.disks.changed(disk)
}
