import type { ResourceId } from './resource-id.ts'

/** A virtual machine, as far as disks and backups know it: what it has attached, and whether it runs. */
export interface VirtualMachine {
  readonly id: ResourceId
  /** `vmId`. A UUID. */
  readonly uniqueId: string
  readonly location: string
  readonly timeCreated: Date
  readonly zones: readonly string[] | undefined
  tags: Readonly<Record<string, string>>
  /** Properties that have no effect here, such as `hardwareProfile`. */
  properties: Readonly<Record<string, unknown>>
  osDisk: AttachedDisk | undefined
  dataDisks: readonly DataDisk[]
  /** False when it is stopped or deallocated: its disks show as `Reserved`. */
  isRunning: boolean
  provisioningState: 'Creating' | 'Updating' | 'Succeeded'
}

export interface AttachedDisk {
  readonly diskId: ResourceId
  /** Shown as given: `name`, `caching`, `osType`, `writeAcceleratorEnabled`, … */
  readonly properties: Readonly<Record<string, unknown>>
  /** What happens to the disk when the virtual machine is deleted. */
  readonly deleteOption: 'Detach' | 'Delete'
}

export interface DataDisk extends AttachedDisk {
  readonly lun: number
}

/** The OS disk first, then by the order of the request. */
export function attachedDisks(vm: VirtualMachine): AttachedDisk[] {
  return vm.osDisk === undefined ? [...vm.dataDisks] : [vm.osDisk, ...vm.dataDisks]
}
