import type { z } from 'zod'
import type { ArmCall, ArmReply } from './arm-call.ts'
import { GROUP_PATH, PROVIDER, SUBSCRIPTION_PATH, type ArmRoute } from './arm-routes.ts'
import type { ComputeState } from './compute-state.ts'
import { beginAccess, endAccess } from './disk-access.ts'
import type { DiskSnapshot, ManagedDisk } from './disk-model.ts'
import { checkImportSource } from './import-source.ts'
import { requireLinkedSources } from './linked-source.ts'
import { listPage } from './list-pages.ts'
import { grantAccessSchema, parseBody, type CreationData } from './request-bodies.ts'
import { idOf, requireResource } from './resource-calls.ts'
import type { ResourceId } from './resource-id.ts'
import type { ResourceTable } from './resource-table.ts'

/**
 * The eight operations that disks and snapshots have in common. Every change is answered 202 and polled; only a PUT on
 * a resource that exists is answered 200 at once.
 */

/** In what disks and snapshots differ. */
export interface ManagedResourceKind<T extends ManagedDisk | DiskSnapshot, Body, Update> {
  readonly type: 'disks' | 'snapshots'
  /** First half of the operation ids. */
  readonly operationGroup: 'Disks' | 'Snapshots'
  readonly table: ResourceTable<T>
  readonly bodySchema: z.ZodType<Body>
  readonly updateSchema: z.ZodType<Update>
  creationDataOf(body: Body): CreationData
  create(id: ResourceId, body: Body): T
  /** A PUT on an existing resource. */
  replace(resource: T, body: Body): void
  update(resource: T, update: Update): void
  /** @throws ArmError 409 when the resource may not be deleted now. */
  checkDelete(resource: T): void
  /** Takes it out of the table. */
  remove(resource: T): void
  document(resource: T): Readonly<Record<string, unknown>>
}

export function managedResourceRoutes<
  T extends ManagedDisk | DiskSnapshot,
  Body extends { readonly location: string },
  Update,
>(
  state: ComputeState,
  kind: ManagedResourceKind<T, Body, Update>,
  baseUrl: () => string,
): ArmRoute[] {
  const { type, operationGroup, table } = kind
  const collection = `${GROUP_PATH}/${PROVIDER}/${type}`
  const path = `${collection}/:name`
  const action = `Microsoft.Compute/${type}`

  const resourceOf = (call: ArmCall): T => requireResource(table, idOf(call, type, ['name']))
  const place = (resource: T): { subscriptionId: string; location: string } => ({
    subscriptionId: resource.id.subscriptionId,
    location: resource.location,
  })
  const acceptChange = (call: ArmCall, resource: T): Promise<ArmReply> => {
    const finish = (): Readonly<Record<string, unknown>> => {
      resource.provisioningState = 'Succeeded'
      table.changed(resource)
      return kind.document(resource)
    }
    return state.operations.accept(call, { ...place(resource), finish }, kind.document(resource))
  }

  const put = async (call: ArmCall): Promise<ArmReply> => {
    const id = idOf(call, type, ['name'])
    const body = parseBody(kind.bodySchema, call.body)
    if (table.get(id) === undefined) {
      requireLinkedSources(state, call, id, kind.creationDataOf(body))
      await checkImportSource(state, kind.creationDataOf(body), body.location)
    }
    // Asked again, as another PUT may have been faster while the source was read.
    const existing = table.get(id)
    if (existing !== undefined) {
      kind.replace(existing, body)
      table.changed(existing)
      return { status: 200, body: kind.document(existing) }
    }
    return acceptChange(call, kind.create(id, body))
  }
  const patch = (call: ArmCall): Promise<ArmReply> => {
    const resource = resourceOf(call)
    kind.update(resource, parseBody(kind.updateSchema, call.body))
    resource.provisioningState = 'Updating'
    table.changed(resource)
    return acceptChange(call, resource)
  }
  const remove = (call: ArmCall): Promise<ArmReply> | ArmReply => {
    const resource = table.get(idOf(call, type, ['name']))
    if (resource === undefined) return { status: 204 }
    kind.checkDelete(resource)
    return state.operations.accept(call, { ...place(resource), perform: () => kind.remove(resource) })
  }
  const grantAccess = (call: ArmCall): Promise<ArmReply> => {
    const resource = resourceOf(call)
    const { publication } = beginAccess(state, resource, parseBody(grantAccessSchema, call.body))
    return state.operations.accept(call, { ...place(resource), finish: () => ({ accessSAS: publication.sasUrl }) })
  }
  const revokeAccess = (call: ArmCall): Promise<ArmReply> => {
    const resource = resourceOf(call)
    return state.operations.accept(call, { ...place(resource), perform: () => endAccess(state, resource) })
  }
  const get = (call: ArmCall): ArmReply => ({ status: 200, body: kind.document(resourceOf(call)) })
  const list = (call: ArmCall): ArmReply =>
    listPage(call, table, { pageSize: state.settings().pageSize, baseUrl: baseUrl(), document: kind.document })

  const route = (verb: string, rest: Omit<ArmRoute, 'operation'>): ArmRoute => ({
    operation: `${operationGroup}_${verb}`,
    ...rest,
  })
  return [
    route('CreateOrUpdate', { method: 'PUT', path, action: `${action}/write`, handle: put }),
    route('Get', { method: 'GET', path, action: `${action}/read`, handle: get }),
    route('Update', { method: 'PATCH', path, action: `${action}/write`, handle: patch }),
    route('Delete', { method: 'DELETE', path, action: `${action}/delete`, handle: remove }),
    route('GrantAccess', {
      method: 'POST',
      path: `${path}/beginGetAccess`,
      action: `${action}/beginGetAccess/action`,
      handle: grantAccess,
    }),
    route('RevokeAccess', {
      method: 'POST',
      path: `${path}/endGetAccess`,
      action: `${action}/endGetAccess/action`,
      handle: revokeAccess,
    }),
    route('ListByResourceGroup', { method: 'GET', path: collection, action: `${action}/read`, handle: list }),
    route('List', {
      method: 'GET',
      path: `${SUBSCRIPTION_PATH}/${PROVIDER}/${type}`,
      action: `${action}/read`,
      handle: list,
    }),
  ]
}
