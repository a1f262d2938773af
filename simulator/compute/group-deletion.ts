import { ArmError } from './arm-error.ts'
import type { ComputeState } from './compute-state.ts'
import type { ExportableResource } from './disk-model.ts'
import { checkDiskDelete, checkSnapshotDelete, removeDisk, removeSnapshot } from './remove-resource.ts'
import { formatResourceGroupId, formatResourceId, type ResourceGroupId, type ResourceId } from './resource-id.ts'
import { checkRestorePointDelete, removeCollection, restorePointsOf } from './restore-points.ts'
import { removeVirtualMachine } from './virtual-machines.ts'

/**
 * The deletion of a resource group: everything in it goes, holders before what they hold. What may not be deleted
 * stays, and so does the group.
 */

/** @throws ArmError 409 ResourceGroupDeletionBlocked that names what is left. */
export function deleteResourceGroup(state: ComputeState, group: ResourceGroupId): void {
  const prefix = `${formatResourceGroupId(group)}/`.toLowerCase()
  const isInside = (id: ResourceId): boolean => formatResourceId(id).toLowerCase().startsWith(prefix)
  const inside = <T extends { readonly id: ResourceId }>(resources: Iterable<T>): T[] =>
    [...resources].filter((resource) => isInside(resource.id))
  const blocked: string[] = []
  const removeUnlessBlocked = (id: ResourceId, check: () => void, remove: () => void): void => {
    try {
      check()
    } catch (error) {
      if (!(error instanceof ArmError)) throw error
      blocked.push(formatResourceId(id))
      return
    }
    remove()
  }

  for (const collection of inside(state.restorePointCollections.all())) {
    const check = (): void => {
      for (const restorePoint of restorePointsOf(state, collection)) checkRestorePointDelete(state, restorePoint)
    }
    removeUnlessBlocked(collection.id, check, () => removeCollection(state, collection))
  }
  for (const vm of inside(state.virtualMachines.all())) removeVirtualMachine(state, vm)
  for (const resource of inside<ExportableResource>([...state.snapshots.all(), ...state.disks.all()])) {
    if (resource.kind === 'snapshot') {
      const check = (): void => checkSnapshotDelete(state, resource)
      removeUnlessBlocked(resource.id, check, () => removeSnapshot(state, resource))
    } else if (resource.kind === 'disk') {
      const check = (): void => checkDiskDelete(state, resource)
      removeUnlessBlocked(resource.id, check, () => removeDisk(state, resource))
    }
  }
  for (const account of state.storage.accounts()) {
    if (account.resourceId.toLowerCase().startsWith(prefix)) state.storage.delete(account.name)
  }

  if (blocked.length > 0) throw deletionBlocked(group, blocked)
  state.groups.delete(group)
}

function deletionBlocked(group: ResourceGroupId, blocked: readonly string[]): ArmError {
  return new ArmError(
    409,
    'ResourceGroupDeletionBlocked',
    `Deletion of resource group '${group.resourceGroup}' failed as resources with identifiers ` +
      `'${blocked.join(',')}' could not be deleted. The provisioning state of the resource group will be rolled back.`,
  )
}
