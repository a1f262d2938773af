import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { ComputeManagementClient } from '@azure/arm-compute'
import { AnonymousCredential, ContainerClient, PageBlobClient } from '@azure/storage-blob'
import type { LocalAzure } from '../../simulator/azure.ts'
import { computeClient, credentialOf, refusalOf, startForTests } from './local-azure-support.ts'

/** Both halves together, in the order of a backup, by the SDKs alone. */

const GROUP = 'backup-rg'
const MIB = 1024 ** 2
const GIB = 1024 ** 3

let azure: LocalAzure
let client: ComputeManagementClient
beforeAll(async () => {
  azure = await startForTests()
  client = computeClient(azure)
  azure.createAccount({ name: 'backups' })
  azure.createContainer('backups', 'points')
})
afterAll(() => azure.close())

async function exportOf(name: string, diskId: string): Promise<PageBlobClient> {
  await client.snapshots.createOrUpdate(GROUP, name, {
    location: 'westeurope',
    incremental: true,
    creationData: { createOption: 'Copy', sourceResourceId: diskId },
  })
  const { accessSAS = '' } = await client.snapshots.grantAccess(GROUP, name, { access: 'Read', durationInSeconds: 600 })
  return new PageBlobClient(accessSAS, new AnonymousCredential())
}

test('a disk is copied by its snapshots into a base blob, first whole and then by the difference', async () => {
  const { id } = azure.createDisk({ name: 'source', resourceGroup: GROUP, sizeGib: 1 })
  await azure.writeDisk(id, 0, Buffer.alloc(2 * MIB, 1))
  await azure.writeDisk(id, 512 * MIB, Buffer.alloc(4096, 2))
  const first = await exportOf('first', id)

  const container = new ContainerClient(`${azure.blobEndpoint}/backups/points`, credentialOf(azure))
  const base = container.getPageBlobClient('base')
  await base.create(GIB + 512)
  for await (const { start, end } of first.listPageRanges()) {
    await base.uploadPagesFromURL(first.url, start, start, end - start + 1)
  }
  const range = { offsetBytes: 0, lengthBytes: GIB }
  const firstDigest = await azure.digestDisk((await client.snapshots.get(GROUP, 'first')).id ?? '', range)
  expect(await base.downloadToBuffer(512 * MIB, 4096)).toEqual(Buffer.alloc(4096, 2))
  await base.createSnapshot()

  await azure.writeDisk(id, MIB, Buffer.alloc(4096, 3))
  azure.clearDisk(id, 512 * MIB, 4096)
  const second = await exportOf('second', id)
  const diff = await second.getPageRangesDiffForManagedDisks(0, GIB, first.url)
  expect(diff.pageRange).toEqual([{ offset: MIB, count: 4095 }])
  expect(diff.clearRange).toEqual([{ offset: 512 * MIB, count: 4095 }])
  await base.uploadPagesFromURL(second.url, MIB, MIB, 4096)
  await base.clearPages(512 * MIB, 4096)

  const copied = await base.downloadToBuffer(0, 2 * MIB)
  expect(copied.equals(await azure.readDisk(id, 0, 2 * MIB))).toBe(true)
  expect(await base.downloadToBuffer(512 * MIB, 4096)).toEqual(Buffer.alloc(4096))
  expect(await azure.digestDisk(id, range)).not.toEqual(firstDigest)
})

test('there is no difference across the 4 TB boundary, and again one beyond it', async () => {
  const { id } = azure.createDisk({ name: 'growing', resourceGroup: GROUP, sizeGib: 4095 })
  const small = await exportOf('small', id)
  azure.growDisk(id, 4096)
  const large = await exportOf('large', id)
  const refusal = await refusalOf(large.getPageRangesDiffForManagedDisks(0, MIB, small.url))
  expect(refusal).toMatchObject({ status: 409, code: 'PreviousSnapshotOperationNotSupported' })
  azure.growDisk(id, 5000)
  await azure.writeDisk(id, 4999 * GIB, Buffer.alloc(512, 1))
  const larger = await exportOf('larger', id)
  const diff = await larger.getPageRangesDiffForManagedDisks(4999 * GIB, MIB, large.url)
  expect(diff.pageRange).toEqual([{ offset: 4999 * GIB, count: 511 }])
})

test('the snapshots of two disks have no difference', async () => {
  const one = azure.createDisk({ name: 'one', resourceGroup: GROUP, sizeGib: 1 })
  const two = azure.createDisk({ name: 'two', resourceGroup: GROUP, sizeGib: 1 })
  const [ofOne, ofTwo] = [await exportOf('of-one', one.id), await exportOf('of-two', two.id)]
  expect(await refusalOf(ofTwo.getPageRangesDiffForManagedDisks(0, MIB, ofOne.url))).toMatchObject({ status: 409 })
})

test('a principal without a data role is refused by the blob service', async () => {
  azure.assignRoles('onlooker', [{ actions: ['Microsoft.Storage/*/read'] }])
  const container = new ContainerClient(`${azure.blobEndpoint}/backups/points`, credentialOf(azure, 'onlooker'))
  expect(await container.exists()).toBe(true)
  const refusal = await refusalOf(container.getPageBlobClient('foreign').create(512))
  expect(refusal).toMatchObject({ status: 403, code: 'AuthorizationPermissionMismatch' })
})
