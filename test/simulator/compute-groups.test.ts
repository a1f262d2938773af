import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ComputeManagementClient } from '@azure/arm-compute'
import type { LocalAzure } from '../../simulator/azure.ts'
import { callResourceManager, computeClient, refusalOf, startForTests } from './local-azure-support.ts'

const VERSION = 'api-version=2025-01-02'

let azure: LocalAzure
let client: ComputeManagementClient
beforeAll(async () => {
  azure = await startForTests()
  client = computeClient(azure)
})
afterAll(() => azure.close())

const groupPath = (name: string): string => `/subscriptions/${azure.subscriptionId}/resourceGroups/${name}`

/** The answer at the end of the operation. */
async function deleteGroup(name: string): Promise<Response> {
  const accepted = await callResourceManager(azure, 'DELETE', `${groupPath(name)}?${VERSION}`)
  expect(accepted.status).toBe(202)
  const location = accepted.headers.get('location') ?? ''
  expect(location).toMatch(/\/operationresults\/[0-9a-f-]{36}\?/)
  return callResourceManager(azure, 'GET', location)
}

async function fill(group: string): Promise<string> {
  const { id } = azure.createDisk({ name: 'disk', resourceGroup: group, sizeGib: 1 })
  const creationData = { createOption: 'Copy', sourceResourceId: id }
  await client.snapshots.createOrUpdate(group, 'snapshot', { location: 'westeurope', incremental: true, creationData })
  const vm = await client.virtualMachines.createOrUpdate(group, 'vm', {
    location: 'westeurope',
    storageProfile: { osDisk: { createOption: 'Attach', managedDisk: { id } } },
  })
  const source = { id: vm.id ?? '' }
  await client.restorePointCollections.createOrUpdate(group, 'points', { location: 'westeurope', source })
  await client.restorePoints.create(group, 'points', 'one', {})
  azure.createAccount({ name: `${group}store`, resourceGroup: group })
  return id
}

describe('the deletion of a resource group', () => {
  test('takes along everything in it and nothing beside it', async () => {
    const id = await fill('doomed')
    const { id: beside } = azure.createDisk({ name: 'disk', resourceGroup: 'doomed-not', sizeGib: 1 })
    expect((await deleteGroup('doomed')).status).toBe(200)
    expect((await callResourceManager(azure, 'GET', `${groupPath('doomed')}?${VERSION}`)).status).toBe(404)
    azure.createResourceGroup({ name: 'doomed' })
    expect((await callResourceManager(azure, 'GET', `${id}?${VERSION}`)).status).toBe(404)
    expect(await refusalOf(client.restorePoints.get('doomed', 'points', 'one'))).toMatchObject({ status: 404 })
    expect(() => azure.createContainer('doomedstore', 'container')).toThrow('was not found')
    expect((await callResourceManager(azure, 'GET', `${beside}?${VERSION}`)).status).toBe(200)
  })

  test('is blocked by a SAS that is out, and leaves what it blocks', async () => {
    await fill('blocked')
    await client.snapshots.grantAccess('blocked', 'snapshot', { access: 'Read', durationInSeconds: 600 })
    const end = await deleteGroup('blocked')
    expect(end.status).toBe(409)
    const { error } = (await end.json()) as { error: { code: string; message: string } }
    expect(error.code).toBe('ResourceGroupDeletionBlocked')
    expect(error.message).toContain('/snapshots/snapshot')
    expect((await client.snapshots.get('blocked', 'snapshot')).diskState).toBe('ActiveSAS')
    await client.snapshots.revokeAccess('blocked', 'snapshot')
    expect((await deleteGroup('blocked')).status).toBe(200)
  })
})

describe('a storage account', () => {
  const accountPath = (group: string, name: string): string =>
    `${groupPath(group)}/providers/Microsoft.Storage/storageAccounts/${name}`

  test('tells its region, kind and endpoint, alone and in lists', async () => {
    const { id } = azure.createAccount({ name: 'shown', resourceGroup: 'stores', region: 'North Europe' })
    expect(id).toBe(accountPath('stores', 'shown'))
    const account = (await (await callResourceManager(azure, 'GET', `${id}?${VERSION}`)).json()) as object
    expect(account).toMatchObject({
      id,
      location: 'northeurope',
      kind: 'StorageV2',
      sku: { name: 'Standard_LRS', tier: 'Standard' },
      properties: { isHnsEnabled: false, primaryEndpoints: { blob: `${azure.blobEndpoint}/shown/` } },
    })
    for (const scope of [`/subscriptions/${azure.subscriptionId}`, groupPath('STORES')]) {
      const path = `${scope}/providers/Microsoft.Storage/storageAccounts?${VERSION}`
      const { value } = (await (await callResourceManager(azure, 'GET', path)).json()) as { value: object[] }
      expect(value).toContainEqual(account)
    }
    const elsewhere = await callResourceManager(azure, 'GET', `${accountPath('other', 'shown')}?${VERSION}`)
    expect(elsewhere.status).toBe(404)
  })

  test('tells its key to those who may list keys', async () => {
    const { id, key } = azure.createAccount({ name: 'keyed', resourceGroup: 'stores' })
    const listed = await callResourceManager(azure, 'POST', `${id}/listKeys?${VERSION}`)
    expect(await listed.json()).toMatchObject({ keys: [{ value: key }] })
    azure.assignRoles('looker', [{ actions: ['*/read'] }])
    const refused = await callResourceManager(azure, 'POST', `${id}/listKeys?${VERSION}`, undefined, 'looker')
    expect(refused.status).toBe(403)
    const { error } = (await refused.json()) as { error: { message: string } }
    expect(error.message).toContain(`'Microsoft.Storage/storageAccounts/listKeys/action' over scope '${id}'`)
  })
})
