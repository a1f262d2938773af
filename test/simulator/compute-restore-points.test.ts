import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { ComputeManagementClient, RestorePoint } from '@azure/arm-compute'
import { AnonymousCredential, PageBlobClient } from '@azure/storage-blob'
import type { LocalAzure } from '../../simulator/azure.ts'
import { computeClient, MIB, refusalOf, startForTests } from './local-azure-support.ts'

const GROUP = 'points-rg'
const READ = { access: 'Read', durationInSeconds: 600 } as const

let azure: LocalAzure
let client: ComputeManagementClient
let now = new Date('2026-11-22T12:00:00Z')
let names = 0
beforeAll(async () => {
  azure = await startForTests({ clock: () => now })
  client = computeClient(azure)
  azure.createResourceGroup({ name: GROUP })
})
afterAll(() => azure.close())
beforeEach(() => {
  now = new Date(now.getTime() + 7_200_000)
  azure.changeSettings({ enforceSnapshotRate: false, restorePointsPerVm: 500 })
})

interface Scene {
  readonly os: string
  readonly data: string
  readonly vmId: string
  readonly collection: string
}

async function aScene(dataSku = 'Premium_LRS'): Promise<Scene> {
  const [os, data] = ['Premium_LRS', dataSku].map(
    (sku) =>
      azure.createDisk({ name: `disk-${names++}`, resourceGroup: GROUP, sizeGib: 1, sku, logicalSectorSize: 512 }).id,
  ) as [string, string]
  const vm = await client.virtualMachines.createOrUpdate(GROUP, `vm-${names++}`, {
    location: 'westeurope',
    storageProfile: {
      osDisk: { createOption: 'Attach', osType: 'Linux', managedDisk: { id: os } },
      dataDisks: [{ lun: 0, createOption: 'Attach', managedDisk: { id: data } }],
    },
  })
  const collection = `collection-${names++}`
  await client.restorePointCollections.createOrUpdate(GROUP, collection, {
    location: 'westeurope',
    source: { id: vm.id ?? '' },
  })
  return { os, data, vmId: vm.id ?? '', collection }
}

const take = (scene: Scene, name: string, more: RestorePoint = {}): Promise<RestorePoint> =>
  Promise.resolve(client.restorePoints.create(GROUP, scene.collection, name, more))

async function disksOf(scene: Scene, name: string) {
  const points = []
  const list = client.diskRestorePoint.listByRestorePoint(GROUP, scene.collection, name)
  for await (const point of list) points.push(point)
  return points
}

async function exportOf(scene: Scene, point: string, name = ''): Promise<PageBlobClient> {
  const { accessSAS = '' } = await client.diskRestorePoint.grantAccess(GROUP, scene.collection, point, name, READ)
  return new PageBlobClient(accessSAS, new AnonymousCredential())
}

describe('a restore point', () => {
  test('holds every disk of its virtual machine at one instant', async () => {
    const scene = await aScene()
    const point = await take(scene, 'daily', { consistencyMode: 'CrashConsistent' })
    expect(point).toMatchObject({
      provisioningState: 'Succeeded',
      consistencyMode: 'CrashConsistent',
      sourceMetadata: { storageProfile: { osDisk: { osType: 'Linux', managedDisk: { id: scene.os } } } },
    })
    const disks = await disksOf(scene, 'daily')
    expect(disks.map(({ sourceResourceId }) => sourceResourceId)).toEqual([scene.os, scene.data])
    expect(new Set(disks.map(({ timeCreated }) => timeCreated?.getTime())).size).toBe(1)
    const shown = point.sourceMetadata?.storageProfile?.dataDisks?.map(({ diskRestorePoint }) => diskRestorePoint?.id)
    expect(shown).toEqual([disks[1]?.id])
    const source = await client.disks.get(GROUP, scene.os.split('/').at(-1) ?? '')
    expect(disks[0]).toMatchObject({ sourceUniqueId: source.uniqueId, completionPercent: 100 })
    const expanded = await client.restorePoints.get(GROUP, scene.collection, 'daily', { expand: 'instanceView' })
    expect(expanded.instanceView?.diskRestorePoints?.map(({ id }) => id)).toEqual(disks.map(({ id }) => id))
  })

  test('is not changed by what is written later, and is not taken again by a second PUT', async () => {
    const scene = await aScene()
    await azure.writeDisk(scene.data, 0, Buffer.alloc(4096, 1))
    const before = await azure.digestDisk(scene.data)
    const first = await take(scene, 'once')
    await azure.writeDisk(scene.data, 0, Buffer.alloc(4096, 2))
    expect((await take(scene, 'once')).timeCreated).toEqual(first.timeCreated)
    const [, data] = await disksOf(scene, 'once')
    expect(await azure.digestDisk(data?.id ?? '')).toEqual(before)
    const restored = await client.disks.createOrUpdate(GROUP, `restored-${names++}`, {
      location: 'westeurope',
      creationData: { createOption: 'Restore', sourceResourceId: data?.id ?? '' },
    })
    expect(await azure.digestDisk(restored.id ?? '')).toEqual(before)
  })

  test('exports its disks, with the difference to an earlier one', async () => {
    const scene = await aScene()
    await take(scene, 'one')
    await azure.writeDisk(scene.os, MIB, Buffer.alloc(4096, 3))
    await take(scene, 'two')
    const [[one], [two]] = [await disksOf(scene, 'one'), await disksOf(scene, 'two')]
    expect(two?.familyId).toBe(one?.familyId)
    const older = await exportOf(scene, 'one', one?.name)
    const newer = await exportOf(scene, 'two', two?.name)
    const diff = await newer.getPageRangesDiffForManagedDisks(0, 4 * MIB, older.url)
    expect(diff.pageRange).toEqual([{ offset: MIB, count: 4095 }])
    const granted = azure.grantedAccess().map(({ id }) => id)
    expect(granted).toEqual(expect.arrayContaining([one?.id, two?.id]))

    expect(await refusalOf(client.restorePoints.delete(GROUP, scene.collection, 'two'))).toMatchObject({ status: 409 })
    await client.diskRestorePoint.revokeAccess(GROUP, scene.collection, 'two', two?.name ?? '')
    await client.restorePoints.delete(GROUP, scene.collection, 'two')
    expect(await refusalOf(newer.getProperties())).toMatchObject({ status: 403 })
    expect(await refusalOf(client.restorePoints.get(GROUP, scene.collection, 'two'))).toMatchObject({ status: 404 })
  })

  test('leaves out the disks that it is told to', async () => {
    const scene = await aScene()
    await take(scene, 'os-only', { excludeDisks: [{ id: scene.data.toUpperCase() }] })
    expect((await disksOf(scene, 'os-only')).map(({ sourceResourceId }) => sourceResourceId)).toEqual([scene.os])
    const nothing = take(scene, 'nothing', { excludeDisks: [{ id: scene.data }, { id: scene.os }] })
    expect(await refusalOf(nothing)).toMatchObject({ status: 400, code: 'InvalidParameter' })
  })

  test.each(['UltraSSD_LRS', 'PremiumV2_LRS'])('is not crash-consistent with a disk of SKU %s', async (sku) => {
    const scene = await aScene(sku)
    const refusal = await refusalOf(take(scene, 'crash', { consistencyMode: 'CrashConsistent' }))
    expect(refusal).toMatchObject({ status: 409, code: 'OperationNotAllowed' })
    await take(scene, 'application', { consistencyMode: 'ApplicationConsistent' })
  })

  test('is made three times an hour at most, and so often in all', async () => {
    azure.changeSettings({ enforceSnapshotRate: true })
    const scene = await aScene()
    for (const name of ['a', 'b', 'c']) await take(scene, name)
    expect(await refusalOf(take(scene, 'd'))).toMatchObject({ status: 409 })
    now = new Date(now.getTime() + 3_601_000)
    await take(scene, 'd')
    azure.changeSettings({ restorePointsPerVm: 4 })
    expect(await refusalOf(take(scene, 'e'))).toMatchObject({ status: 409, code: 'OperationNotAllowed' })
  })
})

describe('a restore point collection', () => {
  test('shows its restore points when asked, and takes them along', async () => {
    const scene = await aScene()
    await take(scene, 'one')
    const shown = await client.restorePointCollections.get(GROUP, scene.collection, { expand: 'restorePoints' })
    expect(shown).toMatchObject({ source: { id: scene.vmId }, restorePoints: [{ name: 'one' }] })
    const listed = []
    for await (const { name } of client.restorePointCollections.list(GROUP)) listed.push(name)
    expect(listed).toContain(scene.collection)
    await client.restorePointCollections.delete(GROUP, scene.collection)
    expect(await refusalOf(client.restorePointCollections.get(GROUP, scene.collection))).toMatchObject({ status: 404 })
  })

  test('outlives its virtual machine', async () => {
    const scene = await aScene()
    await take(scene, 'last')
    await client.virtualMachines.delete(GROUP, scene.vmId.split('/').at(-1) ?? '')
    expect(await disksOf(scene, 'last')).toHaveLength(2)
    expect(await refusalOf(take(scene, 'later'))).toMatchObject({ status: 400 })
  })

  test('is of a virtual machine that exists', async () => {
    const body = { location: 'westeurope', source: { id: `${(await aScene()).vmId}x` } }
    const refusal = await refusalOf(client.restorePointCollections.createOrUpdate(GROUP, 'of-none', body))
    expect(refusal).toMatchObject({ status: 400, code: 'InvalidParameter' })
  })
})
