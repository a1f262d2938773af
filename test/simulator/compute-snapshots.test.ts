import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { ComputeManagementClient, Snapshot } from '@azure/arm-compute'
import type { LocalAzure } from '../../simulator/azure.ts'
import { computeClient, refusalOf, startForTests } from './local-azure-support.ts'

const GROUP = 'snapshots-rg'

let azure: LocalAzure
let client: ComputeManagementClient
let now = new Date('2026-11-22T12:00:00Z')
let disks = 0
beforeAll(async () => {
  azure = await startForTests({ clock: () => now })
  client = computeClient(azure)
  azure.createResourceGroup({ name: GROUP })
})
afterAll(() => azure.close())
beforeEach(() => {
  now = new Date(now.getTime() + 3_600_000)
  azure.changeSettings({ enforceSnapshotRate: false, snapshotsPerDisk: 500, backgroundCopyMs: 0 })
})

const aDisk = (more: Partial<Parameters<LocalAzure['createDisk']>[0]> = {}): string =>
  azure.createDisk({ name: `disk-${disks++}`, resourceGroup: GROUP, sizeGib: 1, ...more }).id

const of = (diskId: string, more: Partial<Snapshot> = {}): Snapshot => ({
  location: 'westeurope',
  incremental: true,
  creationData: { createOption: 'Copy', sourceResourceId: diskId },
  ...more,
})

const take = (name: string, diskId: string, more: Partial<Snapshot> = {}): Promise<Snapshot> =>
  Promise.resolve(client.snapshots.createOrUpdate(GROUP, name, of(diskId, more)))

describe('an incremental snapshot', () => {
  test('tells where it comes from and inherits what a restore needs', async () => {
    const inherited = {
      osType: 'Linux',
      hyperVGeneration: 'V2',
      supportedCapabilities: { architecture: 'x64' },
      securityProfile: { securityType: 'TrustedLaunch' },
      purchasePlan: { name: 'n', publisher: 'p', product: 'q' },
    }
    const diskId = aDisk({ properties: inherited })
    const snapshot = await take('first', diskId, { tags: { run: '1' } })
    const disk = await client.disks.get(GROUP, diskId.split('/').at(-1) ?? '')
    expect(snapshot).toMatchObject({
      ...inherited,
      incremental: true,
      tags: { run: '1' },
      sku: { name: 'Standard_ZRS', tier: 'Standard' },
      creationData: { createOption: 'Copy', sourceResourceId: diskId, sourceUniqueId: disk.uniqueId },
      diskSizeBytes: disk.diskSizeBytes,
      diskState: 'Unattached',
      provisioningState: 'Succeeded',
      completionPercent: 100,
      snapshotAccessState: 'Available',
    })
    expect(snapshot.incrementalSnapshotFamilyId).toMatch(/^[0-9a-f-]{36}$/)
    expect(snapshot.uniqueId).not.toBe(disk.uniqueId)
  })

  test('is of the family of its disk, not of the name of its disk', async () => {
    const diskId = aDisk({ name: 'reborn' })
    const [one, two] = [await take('reborn-1', diskId), await take('reborn-2', diskId)]
    expect(two.incrementalSnapshotFamilyId).toBe(one.incrementalSnapshotFamilyId)
    azure.deleteDisk(diskId)
    aDisk({ name: 'reborn' })
    const three = await take('reborn-3', diskId)
    expect(three.incrementalSnapshotFamilyId).not.toBe(one.incrementalSnapshotFamilyId)
    expect(three.creationData?.sourceUniqueId).not.toBe(one.creationData?.sourceUniqueId)
  })

  test('keeps the moment it was taken, also when the PUT is repeated', async () => {
    const diskId = aDisk()
    await azure.writeDisk(diskId, 0, Buffer.alloc(512, 1))
    const first = await take('moment', diskId)
    await azure.writeDisk(diskId, 0, Buffer.alloc(512, 2))
    now = new Date(now.getTime() + 60_000)
    const again = await take('moment', diskId.toUpperCase())
    expect(again).toEqual(first)
    expect(await azure.readDisk(first.id ?? '', 0, 1)).toEqual(Buffer.from([1]))
  })

  test('is refused under a name that is that of another', async () => {
    await take('taken', aDisk())
    const conflict = { status: 409, code: 'PropertyChangeNotAllowed' }
    expect(await refusalOf(take('taken', aDisk()))).toMatchObject(conflict)
    const own = aDisk()
    await take('own', own)
    expect(await refusalOf(take('own', own, { incremental: false }))).toMatchObject(conflict)
  })

  test('of two taken at once has the later time', async () => {
    const diskId = aDisk()
    const [one, two] = [await take('at-once-1', diskId), await take('at-once-2', diskId)]
    expect(two.timeCreated?.getTime()).toBeGreaterThan(one.timeCreated?.getTime() ?? Infinity)
  })

  test('may change its tags and policy but not what it is of', async () => {
    await take('patched', aDisk())
    const patched = await client.snapshots.update(GROUP, 'patched', {
      tags: { keep: 'yes' },
      networkAccessPolicy: 'DenyAll',
    })
    expect(patched).toMatchObject({ tags: { keep: 'yes' }, networkAccessPolicy: 'DenyAll' })
    expect((await client.snapshots.get(GROUP, 'patched')).tags).toEqual({ keep: 'yes' })
  })

  test('is deleted, and deleting it twice is fine', async () => {
    await take('gone', aDisk())
    await client.snapshots.delete(GROUP, 'gone')
    const refusal = await refusalOf(client.snapshots.get(GROUP, 'gone'))
    expect(refusal).toMatchObject({ status: 404, code: 'ResourceNotFound' })
    await client.snapshots.delete(GROUP, 'gone')
  })

  test.each([
    ['zone-redundant where the region has zones', 'westeurope', undefined, 'Standard_ZRS'],
    ['locally redundant where it has none', 'ukwest', undefined, 'Standard_LRS'],
    ['as it was asked for', 'westeurope', 'Standard_LRS', 'Standard_LRS'],
  ])('is %s', async (_title, location, sku, expected) => {
    const diskId = aDisk({ location, resourceGroup: `${GROUP}-${location}` })
    const asked = sku === undefined ? {} : { sku: { name: sku } }
    const snapshot = await take(`sku-${disks}`, diskId, { location, ...asked })
    expect(snapshot.sku?.name).toBe(expected)
  })

  test('has the SKU of the one before it, if none is asked for', async () => {
    const diskId = aDisk()
    await take('sku-chain-1', diskId, { sku: { name: 'Standard_LRS' } })
    expect((await take('sku-chain-2', diskId)).sku?.name).toBe('Standard_LRS')
  })

  test.each<[string, string, Partial<Snapshot>, number, string]>([
    ['on premium storage', 'premium', { sku: { name: 'Premium_LRS' } }, 400, 'InvalidParameter'],
    ['with a dot in its name', 'not.this', {}, 400, 'InvalidParameter'],
    ['with a name of 81 characters', 'n'.repeat(81), {}, 400, 'InvalidParameter'],
    ['in another region than its disk', 'far', { location: 'northeurope' }, 400, 'InvalidParameter'],
    ['of nothing', 'none', { creationData: { createOption: 'Copy' } }, 400, 'InvalidParameter'],
  ])('%s is refused', async (_title, name, more, status, code) => {
    expect(await refusalOf(take(name, aDisk(), more))).toMatchObject({ status, code })
  })

  test('of a disk that is gone is refused', async () => {
    const diskId = aDisk()
    azure.deleteDisk(diskId)
    expect(await refusalOf(take('late', diskId))).toMatchObject({ status: 404, code: 'ResourceNotFound' })
  })

  test('of a disk in another subscription is refused', async () => {
    const diskId = aDisk({ subscriptionId: '00000000-0000-4000-8000-000000000002' })
    expect(await refusalOf(take('foreign', diskId))).toMatchObject({ status: 400, code: 'InvalidParameter' })
  })
})

describe('limits', () => {
  test('seven snapshots of a disk in five minutes, deleted ones included', async () => {
    azure.changeSettings({ enforceSnapshotRate: true })
    const diskId = aDisk()
    for (let index = 0; index < 7; index++) await take(`fast-${index}`, diskId)
    azure.deleteSnapshot((await client.snapshots.get(GROUP, 'fast-0')).id ?? '')
    const refusal = await refusalOf(take('fast-7', diskId))
    expect(refusal).toMatchObject({ status: 409, code: 'SnapshotOperationRateExceeded' })
    await take('other-disk', aDisk())
    now = new Date(now.getTime() + 5 * 60_000 + 100)
    await take('fast-7', diskId)
  })

  test('a number of incremental snapshots of one disk; full ones do not count', async () => {
    azure.changeSettings({ snapshotsPerDisk: 2 })
    const diskId = aDisk()
    await take('full', diskId, { incremental: false })
    await take('count-1', diskId)
    await take('count-2', diskId)
    expect(await refusalOf(take('count-3', diskId))).toMatchObject({ status: 409, code: 'SnapshotsLimitReached' })
    await client.snapshots.delete(GROUP, 'count-1')
    await take('count-3', diskId)
  })

  test('three pending background copies of a Premium SSD v2 disk', async () => {
    azure.changeSettings({ backgroundCopyMs: 100_000 })
    const diskId = aDisk({ sku: 'PremiumV2_LRS' })
    for (const name of ['pending-1', 'pending-2', 'pending-3']) await take(name, diskId)
    expect(await refusalOf(take('pending-4', diskId))).toMatchObject({ status: 409, code: 'OperationNotAllowed' })

    now = new Date(now.getTime() + 50_000)
    expect(await client.snapshots.get(GROUP, 'pending-1')).toMatchObject({
      completionPercent: expect.any(Number),
      snapshotAccessState: 'Pending',
    })
    const { completionPercent } = await client.snapshots.get(GROUP, 'pending-1')
    expect(completionPercent).toBeGreaterThanOrEqual(49)
    expect(completionPercent).toBeLessThanOrEqual(50)
    now = new Date(now.getTime() + 51_000)
    expect(await client.snapshots.get(GROUP, 'pending-3')).toMatchObject({
      completionPercent: 100,
      snapshotAccessState: 'Available',
    })
  })
})

test('a full snapshot has no family and may be premium', async () => {
  const snapshot = await take('full-premium', aDisk(), { incremental: false, sku: { name: 'Premium_LRS' } })
  expect(snapshot).toMatchObject({ incremental: false, sku: { name: 'Premium_LRS' } })
  expect(snapshot.incrementalSnapshotFamilyId).toBeUndefined()
})

test('a disk made of a snapshot has its content', async () => {
  const diskId = aDisk()
  await azure.writeDisk(diskId, 1024 * 1024, Buffer.alloc(4096, 5))
  const snapshot = await take('to-restore', diskId)
  await azure.writeDisk(diskId, 1024 * 1024, Buffer.alloc(4096, 6))
  const restored = await client.disks.createOrUpdate(GROUP, 'restored', {
    location: 'westeurope',
    creationData: { createOption: 'Copy', sourceResourceId: snapshot.id ?? '' },
  })
  const digest = await azure.digestDisk(restored.id ?? '')
  expect(digest).toEqual(await azure.digestDisk(snapshot.id ?? ''))
  expect(digest).not.toEqual(await azure.digestDisk(diskId))
})
