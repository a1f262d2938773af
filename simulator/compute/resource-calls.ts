import { param, type ArmCall } from './arm-call.ts'
import { resourceNotFound } from './arm-error.ts'
import { ownName, type ComputeResourceType, type ResourceId } from './resource-id.ts'
import type { ResourceTable } from './resource-table.ts'

/** From the path of a call to the resource that it names. */

/** `names` are the path parameters of the resource and of those around it, outermost first. */
export function idOf(call: ArmCall, type: ComputeResourceType, names: readonly string[]): ResourceId {
  return {
    subscriptionId: param(call, 'subscriptionId'),
    resourceGroup: param(call, 'resourceGroup'),
    type,
    name: names.map((name) => param(call, name)).join('/'),
  }
}

/** @throws ArmError 404 ResourceNotFound */
export function requireResource<T extends { readonly id: ResourceId }>(table: ResourceTable<T>, id: ResourceId): T {
  const resource = table.get(id)
  if (resource === undefined) throw resourceNotFound(id.type, ownName(id), id.resourceGroup)
  return resource
}
