import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { ComputeManagementClient } from '@azure/arm-compute'
import { ContainerClient } from '@azure/storage-blob'
import type { LocalAzure } from '../../simulator/azure.ts'
import type { SnapshotUsage } from '../../simulator/compute/usage.ts'
import { computeClient, credentialOf, MIB, startForTests } from './local-azure-support.ts'

const GROUP = 'usage-rg'

let azure: LocalAzure
let client: ComputeManagementClient
let now = new Date('2026-10-05T12:00:00Z')
beforeAll(async () => {
  azure = await startForTests({ clock: () => now })
  client = computeClient(azure)
})
afterAll(() => azure.close())

async function take(name: string, diskId: string, incremental = true): Promise<void> {
  const creationData = { createOption: 'Copy', sourceResourceId: diskId }
  await client.snapshots.createOrUpdate(GROUP, name, { location: 'westeurope', incremental, creationData })
}

async function usageOf(name: string): Promise<SnapshotUsage | undefined> {
  const response = await fetch(`${azure.controlEndpoint}/usage`)
  const { snapshots } = (await response.json()) as { snapshots: SnapshotUsage[] }
  return snapshots.find(({ id }) => id.endsWith(`/${name}`))
}

test('an incremental snapshot is billed for what changed since the one before, by the days of the month', async () => {
  const { id } = azure.createDisk({ name: 'disk', resourceGroup: GROUP, sizeGib: 1024 })
  await azure.writeDisk(id, 0, Buffer.alloc(10 * MIB, 1))
  await take('first', id)
  await azure.writeDisk(id, 5 * MIB, Buffer.alloc(MIB, 2))
  azure.clearDisk(id, 0, MIB)
  await take('second', id)
  await azure.writeDisk(id, 5 * MIB, Buffer.alloc(2 * MIB, 3))
  await take('third', id)
  await take('full', id, false)

  // 10 GiB in a month of 31 days are 0.3226, says the documentation; this is a thousandth of it.
  expect(await usageOf('first')).toMatchObject({ usedBytes: 10 * MIB, dailyQuantity: 10 / 1024 / 31 })
  expect((await usageOf('second'))?.usedBytes).toBe(MIB)
  expect((await usageOf('third'))?.usedBytes).toBe(2 * MIB)
  expect(await usageOf('full')).toMatchObject({ isIncremental: false, usedBytes: 9 * MIB })

  // What a deleted snapshot held alone goes; what later ones need is theirs from now on.
  await client.snapshots.delete(GROUP, 'first')
  expect((await usageOf('second'))?.usedBytes).toBe(9 * MIB)
  expect((await usageOf('third'))?.usedBytes).toBe(2 * MIB)
  now = new Date('2027-02-05T12:00:00Z')
  expect((await usageOf('third'))?.dailyQuantity).toBe(2 / 1024 / 28)
})

test('a snapshot of a blob is billed for the pages that its successor does not share', async () => {
  azure.createAccount({ name: 'billed' })
  azure.createContainer('billed', 'points')
  const container = new ContainerClient(`${azure.blobEndpoint}/billed/points`, credentialOf(azure))
  const blob = container.getPageBlobClient('base')
  await blob.create(MIB)
  await blob.uploadPages(Buffer.alloc(8192, 1), 0, 8192)
  const { snapshot } = await blob.createSnapshot()
  // Equal bytes written again are other pages.
  await blob.uploadPages(Buffer.alloc(4096, 1), 0, 4096)
  const response = await fetch(`${azure.controlEndpoint}/storage-usage?account=billed`)
  expect(await response.json()).toEqual([
    {
      container: 'points',
      blob: 'base',
      states: [
        { snapshot, allocatedBytes: 8192, uniqueBytes: 4096 },
        { allocatedBytes: 8192, uniqueBytes: 8192 },
      ],
      uniqueBytes: 12288,
    },
  ])
})
