import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ComputeManagementClient, CreationData, Disk } from '@azure/arm-compute'
import { ContainerClient } from '@azure/storage-blob'
import type { LocalAzure } from '../../simulator/azure.ts'
import { computeClient, credentialOf, MIB, refusalOf, startForTests, uploadVhd } from './local-azure-support.ts'

const GROUP = 'import-rg'
const DATA = Buffer.alloc(4096, 7)

let azure: LocalAzure
let client: ComputeManagementClient
let container: ContainerClient
let accountId: string
beforeAll(async () => {
  azure = await startForTests()
  client = computeClient(azure)
  for (const name of [GROUP, 'other-rg']) azure.createResourceGroup({ name })
  accountId = azure.createAccount({ name: 'images', region: 'West Europe' }).id
  azure.createContainer('images', 'vhds')
  container = new ContainerClient(`${azure.blobEndpoint}/images/vhds`, credentialOf(azure))
})
afterAll(() => azure.close())

const create = (name: string, creationData: CreationData, more: Partial<Disk> = {}): Promise<Disk> =>
  Promise.resolve(client.disks.createOrUpdate(GROUP, name, { location: 'westeurope', creationData, ...more }))

describe('a disk imported from a page blob', () => {
  test('has the content without the footer, and none of the later changes of the blob', async () => {
    const blob = await uploadVhd(container, 'good.vhd', 4 * MIB, DATA)
    const creationData = { createOption: 'Import', sourceUri: blob.url, storageAccountId: accountId }
    const disk = await create('imported', creationData, { osType: 'Linux' })
    expect(disk).toMatchObject({ diskSizeBytes: 4 * MIB, diskState: 'Unattached', osType: 'Linux', creationData })
    await blob.uploadPages(Buffer.alloc(512, 9), 0, 512)
    const content = await azure.readDisk(disk.id ?? '', 0, 8192)
    expect(content.equals(Buffer.concat([DATA, Buffer.alloc(4096)]))).toBe(true)
    // A PUT that is repeated finds the disk, whatever has become of the blob.
    await blob.delete()
    expect((await create('imported', creationData)).uniqueId).toBe(disk.uniqueId)
  })

  test('may be larger than the blob', async () => {
    const { url } = await uploadVhd(container, 'small.vhd', MIB, DATA)
    const creationData = { createOption: 'Import', sourceUri: url, storageAccountId: accountId }
    expect((await create('larger', creationData, { diskSizeGB: 2 })).diskSizeGB).toBe(2)
  })

  test('is a full snapshot when a snapshot is asked for', async () => {
    const { url } = await uploadVhd(container, 'snapshot.vhd', MIB, DATA)
    const creationData = { createOption: 'Import', sourceUri: url, storageAccountId: accountId }
    const body = { location: 'westeurope', creationData }
    const snapshot = await client.snapshots.createOrUpdate(GROUP, 'imported', body)
    expect(snapshot).toMatchObject({ incremental: false, diskSizeBytes: MIB })
    expect((await azure.readDisk(snapshot.id ?? '', 0, 4096)).equals(DATA)).toBe(true)
    const incremental = client.snapshots.createOrUpdate(GROUP, 'no', { ...body, incremental: true })
    expect(await refusalOf(incremental)).toMatchObject({ status: 400, code: 'InvalidParameter' })
  })

  test('needs a footer', async () => {
    const blob = await uploadVhd(container, 'no-footer.vhd', MIB, DATA)
    await blob.clearPages(MIB, 512)
    const creationData = { createOption: 'Import', sourceUri: blob.url, storageAccountId: accountId }
    const refusal = await refusalOf(create('no-footer', creationData))
    expect(refusal).toMatchObject({ status: 400, code: 'BadRequest' })
    expect(refusal.message).toContain("Disk is expected to have cookie value 'conectix'")
    expect(await refusalOf(client.disks.get(GROUP, 'no-footer'))).toMatchObject({ status: 404 })
  })

  test('needs an account of its region, named by id', async () => {
    const { url } = await uploadVhd(container, 'region.vhd', MIB, DATA)
    const creationData = { createOption: 'Import', sourceUri: url, storageAccountId: accountId }
    const elsewhere = await refusalOf(create('elsewhere', creationData, { location: 'northeurope' }))
    expect(elsewhere).toMatchObject({ status: 400, code: 'InvalidParameter' })
    expect(elsewhere.message).toContain("'westeurope'")
    const unnamed = await refusalOf(create('unnamed', { createOption: 'Import', sourceUri: url }))
    expect(unnamed.message).toContain("Required parameter 'storageAccountId' is missing (null).")
    const misnamed = create('misnamed', { ...creationData, storageAccountId: `${accountId}x` })
    expect(await refusalOf(misnamed)).toMatchObject({ status: 400, code: 'InvalidParameter' })
  })

  test.each([
    ['no blob', (base: string) => `${base}/none.vhd`],
    ['a block blob', (base: string) => `${base}/block.vhd`],
    ['no URL', () => 'none'],
    ['another server', () => 'https://images.blob.core.windows.net/vhds/x.vhd'],
    ['a malformed escape', (base: string) => `${base}/%zz`],
  ])('is not made of %s', async (_what, url) => {
    await container.getBlockBlobClient('block.vhd').upload('x', 1)
    const creationData = { createOption: 'Import', sourceUri: url(container.url), storageAccountId: accountId }
    expect(await refusalOf(create('unreadable', creationData))).toMatchObject({ status: 400, code: 'InvalidParameter' })
  })

  test('is not made of a snapshot of a blob, on which the documentation contradicts itself', async () => {
    const blob = await uploadVhd(container, 'of-snapshot.vhd', MIB, DATA)
    const { snapshot = '' } = await blob.createSnapshot()
    const sourceUri = blob.withSnapshot(snapshot).url
    const creationData = { createOption: 'Import', sourceUri, storageAccountId: accountId }
    expect(await refusalOf(create('of-snapshot', creationData))).toMatchObject({
      status: 400,
      code: 'NotSupportedByLocalAzure',
    })
  })

  test('needs a right on the account', async () => {
    const { url } = await uploadVhd(container, 'rights.vhd', MIB, DATA)
    azure.assignRoles('importer', [{ actions: ['Microsoft.Compute/*'] }])
    const refusal = await refusalOf(
      computeClient(azure, 'importer').disks.createOrUpdate(GROUP, 'foreign', {
        location: 'westeurope',
        creationData: { createOption: 'Import', sourceUri: url, storageAccountId: accountId },
      }),
    )
    expect(refusal).toMatchObject({ status: 403, code: 'LinkedAuthorizationFailed' })
    expect(refusal.message).toContain('Microsoft.Storage/storageAccounts/read')
  })
})

describe('a copy', () => {
  test('of an incremental snapshot may be a full snapshot, in another resource group', async () => {
    const { id } = azure.createDisk({ name: 'source', resourceGroup: GROUP, sizeGib: 1 })
    await azure.writeDisk(id, 0, DATA)
    const incremental = await client.snapshots.createOrUpdate(GROUP, 'incremental', {
      location: 'westeurope',
      incremental: true,
      creationData: { createOption: 'Copy', sourceResourceId: id },
    })
    const full = await client.snapshots.createOrUpdate('other-rg', 'full', {
      location: 'westeurope',
      creationData: { createOption: 'Copy', sourceResourceId: incremental.id ?? '' },
    })
    expect(full).toMatchObject({ incremental: false, sku: { name: 'Standard_LRS' } })
    expect(full.incrementalSnapshotFamilyId).toBeUndefined()
    expect(await azure.digestDisk(full.id ?? '')).toEqual(await azure.digestDisk(id))
    // Restore is what Azure calls the copy of a recovery point.
    const creationData = { createOption: 'Restore', sourceResourceId: incremental.id ?? '' }
    const restored = await create('restored', creationData)
    expect(await azure.digestDisk(restored.id ?? '')).toEqual(await azure.digestDisk(id))
  })

  test('of a snapshot is incremental by CopyStart only', async () => {
    const source = await client.snapshots.get(GROUP, 'incremental')
    const copy = client.snapshots.createOrUpdate(GROUP, 'copy', {
      location: 'westeurope',
      incremental: true,
      creationData: { createOption: 'Copy', sourceResourceId: source.id ?? '' },
    })
    const refusal = await refusalOf(copy)
    expect(refusal).toMatchObject({ status: 400, code: 'InvalidParameter' })
    expect(refusal.message).toContain('CopyStart')
  })
})
