import type { ArmCall } from './arm-call.ts'
import type { ComputeState } from './compute-state.ts'
import type { CreationData } from './request-bodies.ts'
import { formatResourceId, parseResourceId, type ResourceId } from './resource-id.ts'
import { requireLinkedAction } from './roles.ts'
import type { StorageProfile } from './virtual-machine-bodies.ts'

/**
 * Rights on what a new resource is made of. Copying reads the source, so the caller needs `beginGetAccess` on it too
 * (seen in github.com/MicrosoftDocs/azure-docs/issues/11362); what importing needs on the account is our own choice.
 * @throws ArmError 403 LinkedAuthorizationFailed
 */
export function requireLinkedSources(
  state: ComputeState,
  call: ArmCall,
  target: ResourceId,
  creationData: CreationData,
): void {
  const own = { action: `Microsoft.Compute/${target.type}/write`, scope: formatResourceId(target) }
  const { sourceResourceId, storageAccountId } = creationData
  const source = parseResourceId(sourceResourceId ?? '')
  if (source !== undefined) {
    const action = `Microsoft.Compute/${source.type}/beginGetAccess/action`
    requireLinkedAction(state.roles, call.caller, own, { action, scope: formatResourceId(source) })
  }
  if (creationData.createOption === 'Import' && storageAccountId !== undefined) {
    const action = 'Microsoft.Storage/storageAccounts/read'
    requireLinkedAction(state.roles, call.caller, own, { action, scope: storageAccountId })
  }
}

/**
 * Rights on the disks that a virtual machine is to have. Which Azure asks for is not documented; `read` is what the
 * built-in role Virtual Machine Contributor has on disks at least.
 * @throws ArmError 403 LinkedAuthorizationFailed
 */
export function requireAttachedRights(
  state: ComputeState,
  call: ArmCall,
  vm: ResourceId,
  profile: StorageProfile | undefined,
): void {
  const own = { action: 'Microsoft.Compute/virtualMachines/write', scope: formatResourceId(vm) }
  for (const disk of [profile?.osDisk, ...(profile?.dataDisks ?? [])]) {
    const scope = disk?.managedDisk?.id
    if (scope === undefined) continue
    requireLinkedAction(state.roles, call.caller, own, { action: 'Microsoft.Compute/disks/read', scope })
  }
}

/** A restore point is of a virtual machine, so who makes the collection must be able to read it (our own choice). */
export function requireLinkedVm(state: ComputeState, call: ArmCall, collection: ResourceId, vmId: string): void {
  const own = { action: 'Microsoft.Compute/restorePointCollections/write', scope: formatResourceId(collection) }
  requireLinkedAction(state.roles, call.caller, own, { action: 'Microsoft.Compute/virtualMachines/read', scope: vmId })
}
