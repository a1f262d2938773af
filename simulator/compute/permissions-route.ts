import { param } from './arm-call.ts'
import { GROUP_PATH, type ArmRoute } from './arm-routes.ts'
import type { ResourceGroups } from './resource-groups.ts'
import type { RoleTable } from './roles.ts'

/** Microsoft.Authorization: what the caller may do in a resource group (Permissions, List For Resource Group). */
export function permissionsRoute(groups: ResourceGroups, roles: RoleTable): ArmRoute {
  return {
    operation: 'Permissions_ListForResourceGroup',
    method: 'GET',
    path: `${GROUP_PATH}/providers/Microsoft.Authorization/permissions`,
    action: undefined,
    handle: (call) => {
      const id = { subscriptionId: param(call, 'subscriptionId'), resourceGroup: param(call, 'resourceGroup') }
      groups.require(id)
      const scope = `/subscriptions/${id.subscriptionId}/resourceGroups/${id.resourceGroup}`
      const value = roles.assignmentsAt(call.caller.principalId, scope).map(({ actions, notActions = [] }) => ({
        actions,
        notActions,
        dataActions: [],
        notDataActions: [],
      }))
      return { status: 200, body: { value } }
    },
  }
}
