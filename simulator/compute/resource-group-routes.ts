import { param, type ArmCall } from './arm-call.ts'
import type { ComputeState } from './compute-state.ts'
import { deleteResourceGroup } from './group-deletion.ts'
import { GROUP_PATH, SUBSCRIPTION_PATH, type ArmRoute } from './arm-routes.ts'
import { parseBody, resourceGroupBodySchema } from './request-bodies.ts'
import { resourceGroupDocument } from './resource-groups.ts'
import type { ResourceGroupId } from './resource-id.ts'

/** Subscriptions and resource groups, as far as tools read, make or delete them. */

const READ_GROUPS = 'Microsoft.Resources/subscriptions/resourceGroups/read'

export function resourceGroupRoutes(state: ComputeState, tenantId: string): ArmRoute[] {
  const { groups } = state
  const subscriptionDocument = (subscriptionId: string): Record<string, unknown> => ({
    id: `/subscriptions/${subscriptionId}`,
    subscriptionId,
    tenantId,
    displayName: 'Local Azure',
    state: 'Enabled',
  })
  return [
    {
      operation: 'Subscriptions_List',
      method: 'GET',
      path: '/subscriptions',
      action: undefined,
      handle: () => ({ status: 200, body: { value: groups.subscriptions().map(subscriptionDocument) } }),
    },
    {
      operation: 'Subscriptions_Get',
      method: 'GET',
      path: SUBSCRIPTION_PATH,
      action: undefined,
      handle: (call) => ({ status: 200, body: subscriptionDocument(param(call, 'subscriptionId')) }),
    },
    {
      operation: 'ResourceGroups_List',
      method: 'GET',
      path: `${SUBSCRIPTION_PATH}/resourceGroups`,
      action: READ_GROUPS,
      handle: (call) => {
        const value = groups.list(param(call, 'subscriptionId')).map(resourceGroupDocument)
        return { status: 200, body: { value } }
      },
    },
    {
      operation: 'ResourceGroups_Get',
      method: 'GET',
      path: GROUP_PATH,
      action: READ_GROUPS,
      handle: (call) => ({ status: 200, body: resourceGroupDocument(groups.require(groupIdOf(call))) }),
    },
    {
      operation: 'ResourceGroups_CheckExistence',
      method: 'HEAD',
      path: GROUP_PATH,
      action: READ_GROUPS,
      handle: (call) => ({ status: groups.find(groupIdOf(call)) === undefined ? 404 : 204 }),
    },
    {
      operation: 'ResourceGroups_CreateOrUpdate',
      method: 'PUT',
      path: GROUP_PATH,
      action: 'Microsoft.Resources/subscriptions/resourceGroups/write',
      handle: (call) => {
        const { location, tags } = parseBody(resourceGroupBodySchema, call.body)
        const isNew = groups.find(groupIdOf(call)) === undefined
        const group = groups.put(groupIdOf(call), location, tags)
        return { status: isNew ? 201 : 200, body: resourceGroupDocument(group) }
      },
    },
    {
      operation: 'ResourceGroups_Delete',
      method: 'DELETE',
      path: GROUP_PATH,
      action: 'Microsoft.Resources/subscriptions/resourceGroups/delete',
      handle: (call) => {
        const { id, location } = groups.require(groupIdOf(call))
        const { subscriptionId } = id
        const perform = (): void => deleteResourceGroup(state, id)
        return state.operations.accept(call, { kind: 'operationresults', subscriptionId, location, perform })
      },
    },
  ]
}

function groupIdOf(call: ArmCall): ResourceGroupId {
  return { subscriptionId: param(call, 'subscriptionId'), resourceGroup: param(call, 'resourceGroup') }
}
