/** Virtual machines, as far as their disks are concerned: how one is attached, and putting another in its place. */
import type { DataDisk, StorageProfile, VirtualMachine, VirtualMachineUpdate } from '@azure/arm-compute'
import { parseArmId, parseVmId, sameArmId } from '../domain/arm-id.ts'
import type { DiskAttachment } from '../domain/attachment.ts'
import { withoutSwapMark, withSwapMark } from '../domain/swap-mark.ts'
import type { Tags } from '../domain/tags.ts'
import { abortable, callArm, POLL_INTERVAL_MS, untilDone } from './arm-call.ts'
import type { AzureClients } from './clients.ts'
import { withoutUndefined } from './plain.ts'

const READ = 'Microsoft.Compute/virtualMachines/read'
const WRITE = 'Microsoft.Compute/virtualMachines/write'

export interface VmDisk extends DiskAttachment {
  readonly diskId: string
  readonly name: string
}

export interface VmStatus {
  readonly id: string
  readonly location: string
  /** Its disks are not in use. */
  readonly isDeallocated: boolean
  readonly tags: Tags
  /** The OS disk first. */
  readonly disks: readonly VmDisk[]
}

/** @throws BackupError VmNotFound | AccessDenied */
export async function getVm(azure: AzureClients, vmId: string, signal?: AbortSignal): Promise<VmStatus> {
  const vm = await readVm(azure, vmId, signal)
  const isDeallocated = vm.instanceView?.statuses?.some(({ code }) => /^PowerState\/deallocated$/i.test(code ?? '')) ?? false
  return { id: vm.id ?? vmId, location: vm.location, isDeallocated, tags: vm.tags ?? {}, disks: disksOf(vm.id ?? vmId, vm.storageProfile) }
}

/** Puts another OS disk in the place of the one that a deallocated machine has. The old one is detached and kept. */
export async function replaceOsDisk(azure: AzureClients, vmId: string, newDiskId: string, signal?: AbortSignal): Promise<void> {
  const { storageProfile } = await readVm(azure, vmId, signal)
  const { osDisk, dataDisks } = storageProfile ?? {}
  const { caching, osType, writeAcceleratorEnabled } = osDisk ?? {}
  const place = withoutUndefined({ caching, osType, writeAcceleratorEnabled })
  await updateVm(azure, vmId, { storageProfile: { osDisk: { ...place, ...attached(newDiskId) }, ...(dataDisks && { dataDisks }) } }, signal)
}

/** Detaches a data disk, keeps it, and notes its place in a tag of the machine: both at once, or none. */
export async function detachDataDisk(azure: AzureClients, disk: VmDisk, signal?: AbortSignal): Promise<void> {
  const { storageProfile, tags = {} } = await readVm(azure, disk.vmId, signal)
  const dataDisks = (storageProfile?.dataDisks ?? []).filter(({ managedDisk }) => !sameArmId(managedDisk?.id ?? '', disk.diskId))
  const { name, resourceGroup } = parseArmId(disk.diskId, 'disks')
  await updateVm(azure, disk.vmId, { tags: { ...withSwapMark(tags, name, disk, resourceGroup) }, storageProfile: { dataDisks } }, signal)
}

/** Attaches a data disk at the place of one that was detached, and takes the tag away that noted it. */
export async function attachInPlaceOf(azure: AzureClients, old: VmDisk, newDiskId: string, signal?: AbortSignal): Promise<void> {
  const { storageProfile, tags = {} } = await readVm(azure, old.vmId, signal)
  const { lun = 0, caching, writeAccelerator: writeAcceleratorEnabled, diskId } = old
  const disk = { ...withoutUndefined({ caching, writeAcceleratorEnabled }), lun, ...attached(newDiskId) }
  const dataDisks = [...(storageProfile?.dataDisks ?? []), disk] as DataDisk[]
  await updateVm(azure, old.vmId, { tags: { ...withoutSwapMark(tags, parseArmId(diskId, 'disks').name) }, storageProfile: { dataDisks } }, signal)
}

/** What becomes of the disk when the machine is deleted is not the old one's matter. */
function attached(diskId: string): { createOption: string; managedDisk: { id: string }; name: string } {
  return { createOption: 'Attach', managedDisk: { id: diskId }, name: parseArmId(diskId, 'disks').name }
}

async function updateVm(azure: AzureClients, vmId: string, update: VirtualMachineUpdate, signal: AbortSignal | undefined): Promise<void> {
  const { subscriptionId, resourceGroup, name } = parseVmId(vmId)
  const options = { ...abortable(signal), updateIntervalInMs: POLL_INTERVAL_MS }
  await callArm(contextOf('change the disks of', vmId, WRITE), signal, () =>
    untilDone(azure.compute(subscriptionId).virtualMachines.update(resourceGroup, name, update, options), signal),
  )
}

function readVm(azure: AzureClients, vmId: string, signal: AbortSignal | undefined): Promise<VirtualMachine> {
  const { subscriptionId, resourceGroup, name } = parseVmId(vmId)
  return callArm(contextOf('read', vmId, READ), signal, () =>
    azure.compute(subscriptionId).virtualMachines.get(resourceGroup, name, { ...abortable(signal), expand: 'instanceView' }),
  )
}

function disksOf(vmId: string, profile: StorageProfile | undefined): VmDisk[] {
  const disk = (
    role: 'os' | 'data',
    found: { name?: string; caching?: string; osType?: string; lun?: number; writeAcceleratorEnabled?: boolean; managedDisk?: { id?: string } },
  ): VmDisk[] => {
    const diskId = found.managedDisk?.id
    if (diskId === undefined) return []
    const { lun, caching, osType, writeAcceleratorEnabled: writeAccelerator, name = diskId.slice(diskId.lastIndexOf('/') + 1) } = found
    return [withoutUndefined<VmDisk>({ vmId, diskId, name, role, lun, caching, osType, writeAccelerator })]
  }
  return [...(profile?.osDisk === undefined ? [] : disk('os', profile.osDisk)), ...(profile?.dataDisks ?? []).flatMap((one) => disk('data', one))]
}

function contextOf(doing: string, vmId: string, action: string) {
  return { doing, on: `virtual machine ${vmId}`, notFound: 'VmNotFound', action } as const
}
