/** Virtual machines, as far as their disks are concerned: how one is attached, and putting another in its place. */
import type { StorageProfile, VirtualMachine } from '@azure/arm-compute'
import { parseVmId, sameArmId } from '../domain/arm-id.ts'
import type { DiskAttachment } from '../domain/attachment.ts'
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
  /** The OS disk first. */
  readonly disks: readonly VmDisk[]
}

/** @throws BackupError VmNotFound | AccessDenied */
export async function getVm(azure: AzureClients, vmId: string, signal?: AbortSignal): Promise<VmStatus> {
  const vm = await readVm(azure, vmId, signal)
  const isDeallocated = vm.instanceView?.statuses?.some(({ code }) => /^PowerState\/deallocated$/i.test(code ?? '')) ?? false
  return { id: vm.id ?? vmId, location: vm.location, isDeallocated, disks: disksOf(vm.id ?? vmId, vm.storageProfile) }
}

/** Attaches another disk in the place of one, at its LUN and with its caching. The old one is detached and kept. */
export async function replaceVmDisk(azure: AzureClients, vmId: string, oldDiskId: string, newDiskId: string, signal?: AbortSignal): Promise<void> {
  const { storageProfile } = await readVm(azure, vmId, signal)
  const isOld = (disk: { managedDisk?: { id?: string } } | undefined): boolean => sameArmId(disk?.managedDisk?.id ?? '', oldDiskId)
  const replacement = { createOption: 'Attach', managedDisk: { id: newDiskId }, name: newDiskId.slice(newDiskId.lastIndexOf('/') + 1) }
  const update: StorageProfile = isOld(storageProfile?.osDisk)
    ? { osDisk: { ...placeOf(storageProfile?.osDisk), ...replacement }, ...(storageProfile?.dataDisks && { dataDisks: storageProfile.dataDisks }) }
    : { dataDisks: (storageProfile?.dataDisks ?? []).map((disk) => (isOld(disk) ? { ...placeOf(disk), lun: disk.lun, ...replacement } : disk)) }
  const { subscriptionId, resourceGroup, name } = parseVmId(vmId)
  await callArm(contextOf('change the disks of', vmId, WRITE), signal, () =>
    untilDone(
      azure.compute(subscriptionId).virtualMachines.update(
        resourceGroup,
        name,
        { storageProfile: update },
        { ...abortable(signal), updateIntervalInMs: POLL_INTERVAL_MS },
      ),
      signal,
    ),
  )
}

function readVm(azure: AzureClients, vmId: string, signal: AbortSignal | undefined): Promise<VirtualMachine> {
  const { subscriptionId, resourceGroup, name } = parseVmId(vmId)
  return callArm(contextOf('read', vmId, READ), signal, () =>
    azure.compute(subscriptionId).virtualMachines.get(resourceGroup, name, { ...abortable(signal), expand: 'instanceView' }),
  )
}

/** What belongs to the place and not to the disk in it; what becomes of the disk when the machine is deleted is the new one's matter. */
function placeOf(disk: { caching?: string; osType?: string; writeAcceleratorEnabled?: boolean } | undefined): Record<string, unknown> {
  return withoutUndefined({ caching: disk?.caching, osType: disk?.osType, writeAcceleratorEnabled: disk?.writeAcceleratorEnabled })
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
