/**
 * Azure Resource Manager ids of what snapferry names: disks and snapshots.
 *
 * ARM compares ids without case and keeps the case of whoever created the resource; so do we: `sameArmId` and
 * the keys in `names.ts` ignore case, messages show the id as given.
 */
import { BackupError } from './failures.ts'

export type ComputeResourceType = 'disks' | 'snapshots'

export interface ArmId {
  readonly id: string
  readonly subscriptionId: string
  readonly resourceGroup: string
  readonly type: ComputeResourceType
  readonly name: string
}

const PATTERN = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/(disks|snapshots)\/([^/]+)$/i

/** @throws BackupError InvalidResourceId */
export function parseArmId(id: string, type: ComputeResourceType): ArmId {
  const [, subscriptionId, resourceGroup, foundType, name] = PATTERN.exec(id.trim()) ?? []
  if (subscriptionId === undefined || resourceGroup === undefined || name === undefined || foundType?.toLowerCase() !== type) {
    throw new BackupError({
      type: 'InvalidResourceId',
      message:
        `"${id}" is not the resource id of a ${type === 'disks' ? 'managed disk' : 'snapshot'}; ` +
        `expected /subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/${type}/NAME`,
      facts: { id },
    })
  }
  return { id: id.trim(), subscriptionId, resourceGroup, type, name }
}

const VM = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/virtualMachines\/([^/]+)$/i
const ENCRYPTION_SET = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/diskEncryptionSets\/([^/]+)$/i

/** @throws BackupError InvalidResourceId */
export function parseVmId(id: string): Omit<ArmId, 'type'> {
  return parseOther(id, VM, 'virtual machine')
}

/** @throws BackupError InvalidResourceId */
export function parseEncryptionSetId(id: string): Omit<ArmId, 'type'> {
  return parseOther(id, ENCRYPTION_SET, 'disk encryption set')
}

function parseOther(id: string, pattern: RegExp, what: string): Omit<ArmId, 'type'> {
  const [, subscriptionId, resourceGroup, name] = pattern.exec(id.trim()) ?? []
  if (subscriptionId !== undefined && resourceGroup !== undefined && name !== undefined) return { id: id.trim(), subscriptionId, resourceGroup, name }
  throw new BackupError({ type: 'InvalidResourceId', message: `"${id}" is not the resource id of a ${what}`, facts: { id } })
}

const IN_GROUP = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\//i

/** Where a resource of any kind lies. @throws BackupError InvalidResourceId */
export function parseResourceGroup(id: string): { readonly subscriptionId: string; readonly resourceGroup: string } {
  const [, subscriptionId, resourceGroup] = IN_GROUP.exec(id.trim()) ?? []
  if (subscriptionId !== undefined && resourceGroup !== undefined) return { subscriptionId, resourceGroup }
  throw new BackupError({ type: 'InvalidResourceId', message: `"${id}" is not the resource id of something in a resource group`, facts: { id } })
}

/** For comparisons: in small letters. */
export function subscriptionOf(armId: string): string | undefined {
  return armId.split('/')[2]?.toLowerCase()
}

export function sameArmId(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

export function armIdOf(of: Omit<ArmId, 'id'>): ArmId {
  const id = `/subscriptions/${of.subscriptionId}/resourceGroups/${of.resourceGroup}/providers/Microsoft.Compute/${of.type}/${of.name}`
  return { ...of, id }
}
