import type { Account } from '../blob-service/model/account.ts'
import { param, type ArmCall, type ArmReply } from './arm-call.ts'
import { ArmError } from './arm-error.ts'
import { GROUP_PATH, SUBSCRIPTION_PATH, type ArmRoute } from './arm-routes.ts'
import { formatResourceGroupId } from './resource-id.ts'
import type { StorageDirectory } from './storage-directory.ts'

/**
 * Microsoft.Storage, as far as a backup needs it: which accounts there are, of which kind and region, and their keys.
 * Accounts are made by the control API. Lists are not paged; Azure pages neither.
 */

const ACCOUNTS = 'providers/Microsoft.Storage/storageAccounts'
const ACTION = 'Microsoft.Storage/storageAccounts'

export function storageAccountRoutes(storage: StorageDirectory, blobBaseUrl: () => string): ArmRoute[] {
  const document = (account: Account): Record<string, unknown> => accountDocument(account, blobBaseUrl())
  const accountOf = (call: ArmCall): Account => {
    const name = param(call, 'name')
    const resourceGroup = param(call, 'resourceGroup')
    const group = formatResourceGroupId({ subscriptionId: param(call, 'subscriptionId'), resourceGroup })
    const account = storage.find(name.toLowerCase())
    const isThere = account?.resourceId.toLowerCase() === `${group}/${ACCOUNTS}/${name}`.toLowerCase()
    if (account !== undefined && isThere) return account
    throw new ArmError(
      404,
      'ResourceNotFound',
      `The Resource '${ACTION}/${name}' under resource group '${resourceGroup}' was not found. ` +
        'For more details please go to https://aka.ms/ARMResourceNotFoundFix',
    )
  }
  /** Of the subscription or resource group that the call names. */
  const list = (call: ArmCall): ArmReply => {
    const subscriptionId = param(call, 'subscriptionId')
    const resourceGroup = call.params['resourceGroup']
    const scope =
      resourceGroup === undefined
        ? `/subscriptions/${subscriptionId}`
        : formatResourceGroupId({ subscriptionId, resourceGroup })
    const prefix = `${scope}/`.toLowerCase()
    const found = [...storage.accounts()].filter(({ resourceId }) => resourceId.toLowerCase().startsWith(prefix))
    return { status: 200, body: { value: found.map(document) } }
  }
  const keys = (call: ArmCall): ArmReply => {
    const value = accountOf(call).key.toString('base64')
    return { status: 200, body: { keys: [{ keyName: 'key1', value, permissions: 'FULL' }] } }
  }

  const path = `${GROUP_PATH}/${ACCOUNTS}/:name`
  return [
    {
      operation: 'StorageAccounts_GetProperties',
      method: 'GET',
      path,
      action: `${ACTION}/read`,
      handle: (call) => ({ status: 200, body: document(accountOf(call)) }),
    },
    {
      operation: 'StorageAccounts_ListKeys',
      method: 'POST',
      path: `${path}/listKeys`,
      action: `${ACTION}/listKeys/action`,
      handle: keys,
    },
    {
      operation: 'StorageAccounts_ListByResourceGroup',
      method: 'GET',
      path: `${GROUP_PATH}/${ACCOUNTS}`,
      action: `${ACTION}/read`,
      handle: list,
    },
    {
      operation: 'StorageAccounts_List',
      method: 'GET',
      path: `${SUBSCRIPTION_PATH}/${ACCOUNTS}`,
      action: `${ACTION}/read`,
      handle: list,
    },
  ]
}

function accountDocument(account: Account, blobBaseUrl: string): Record<string, unknown> {
  return {
    id: account.resourceId,
    name: account.name,
    type: ACTION,
    location: account.region,
    kind: account.kind,
    sku: { name: account.sku, tier: account.isPremium ? 'Premium' : 'Standard' },
    tags: {},
    properties: {
      provisioningState: 'Succeeded',
      isHnsEnabled: account.isHnsEnabled,
      primaryLocation: account.region,
      statusOfPrimary: 'available',
      primaryEndpoints: { blob: `${blobBaseUrl}/${account.name}/` },
      allowBlobPublicAccess: false,
    },
  }
}
