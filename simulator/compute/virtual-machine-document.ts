import { azureTime } from './azure-time.ts'
import type { ComputeState } from './compute-state.ts'
import { shownGib } from './disk-model.ts'
import { formatResourceId } from './resource-id.ts'
import type { AttachedDisk, VirtualMachine } from './virtual-machine-model.ts'

/** Virtual machines as the REST API shows them. Undefined properties vanish in JSON. */

export function vmDocument(state: ComputeState, vm: VirtualMachine, withInstanceView = false): Record<string, unknown> {
  return {
    id: formatResourceId(vm.id),
    name: vm.id.name,
    type: 'Microsoft.Compute/virtualMachines',
    location: vm.location,
    tags: vm.tags,
    zones: vm.zones,
    properties: {
      ...vm.properties,
      storageProfile: storageProfileDocument(state, vm),
      vmId: vm.uniqueId,
      timeCreated: azureTime(vm.timeCreated),
      provisioningState: vm.provisioningState,
      instanceView: withInstanceView ? instanceViewDocument(vm) : undefined,
    },
  }
}

export function instanceViewDocument(vm: VirtualMachine): Record<string, unknown> {
  const [power, displayStatus] = vm.isRunning ? ['running', 'VM running'] : ['deallocated', 'VM deallocated']
  return {
    statuses: [
      { code: 'ProvisioningState/succeeded', level: 'Info', displayStatus: 'Provisioning succeeded' },
      { code: `PowerState/${power}`, level: 'Info', displayStatus },
    ],
  }
}

/** The disks of a virtual machine; `more` adds what a restore point shows of each. */
export function storageProfileDocument(
  state: ComputeState,
  vm: Pick<VirtualMachine, 'osDisk' | 'dataDisks'>,
  more: (disk: AttachedDisk) => Record<string, unknown> = () => ({}),
): Record<string, unknown> {
  const document = (attached: AttachedDisk): Record<string, unknown> => {
    const disk = state.disks.get(attached.diskId)
    return {
      ...attached.properties,
      deleteOption: attached.deleteOption,
      diskSizeGB: disk === undefined ? undefined : shownGib(disk.volume.sizeBytes),
      managedDisk: { id: formatResourceId(attached.diskId), storageAccountType: disk?.sku },
      ...more(attached),
    }
  }
  return {
    osDisk: vm.osDisk === undefined ? undefined : document(vm.osDisk),
    dataDisks: vm.dataDisks.map((disk) => ({ lun: disk.lun, ...document(disk) })),
  }
}
