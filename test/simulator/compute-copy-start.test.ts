import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { ComputeManagementClient, Snapshot } from '@azure/arm-compute'
import { AnonymousCredential, PageBlobClient } from '@azure/storage-blob'
import type { LocalAzure } from '../../simulator/azure.ts'
import { computeClient, MIB, refusalOf, startForTests } from './local-azure-support.ts'

const GROUP = 'copies-rg'

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
  later(3_600_000)
  azure.changeSettings({ regionCopyMs: 0, backgroundCopyMs: 0, copiesPerRegion: 100 })
  azure.faults.clear()
})

const later = (ms: number): void => void (now = new Date(now.getTime() + ms))
const aDisk = (sku = 'Premium_LRS'): string =>
  azure.createDisk({ name: `disk-${names++}`, resourceGroup: GROUP, sizeGib: 1, sku, logicalSectorSize: 512 }).id

async function snapshotOf(diskId: string, creationData: Record<string, unknown> = {}): Promise<Snapshot> {
  const body = {
    location: 'westeurope',
    incremental: true,
    creationData: { createOption: 'Copy', sourceResourceId: diskId, ...creationData },
  }
  return client.snapshots.createOrUpdate(GROUP, `snapshot-${names++}`, body)
}

async function copyOf(source: Snapshot, location = 'northeurope', more: Partial<Snapshot> = {}): Promise<Snapshot> {
  return client.snapshots.createOrUpdate(GROUP, `copy-${names++}`, {
    location,
    incremental: true,
    creationData: { createOption: 'CopyStart', sourceResourceId: source.id ?? '' },
    ...more,
  })
}

const read = async ({ name = '' }: Snapshot): Promise<Snapshot> => client.snapshots.get(GROUP, name)

async function exportOf({ name = '' }: Snapshot): Promise<PageBlobClient> {
  const { accessSAS = '' } = await client.snapshots.grantAccess(GROUP, name, { access: 'Read', durationInSeconds: 600 })
  return new PageBlobClient(accessSAS, new AnonymousCredential())
}

describe('a snapshot copied by CopyStart', () => {
  test('climbs to 100 percent and can be read only then', async () => {
    azure.changeSettings({ regionCopyMs: 100_000 })
    const diskId = aDisk()
    await azure.writeDisk(diskId, 0, Buffer.alloc(4096, 1))
    const copy = await copyOf(await snapshotOf(diskId))
    expect(copy).toMatchObject({ location: 'northeurope', incremental: true, snapshotAccessState: 'Pending' })
    expect(copy.completionPercent).toBeLessThan(100)
    later(50_000)
    expect((await read(copy)).completionPercent).toBeGreaterThanOrEqual(49)
    expect(await refusalOf(exportOf(copy))).toMatchObject({ status: 409, code: 'OperationNotAllowed' })
    later(51_000)
    expect(await read(copy)).toMatchObject({ completionPercent: 100, snapshotAccessState: 'Available' })
    expect(await azure.digestDisk(copy.id ?? '')).toEqual(await azure.digestDisk(diskId))
  })

  test('is of a family of its region, of which only the changes are moved', async () => {
    const diskId = aDisk()
    await azure.writeDisk(diskId, 0, Buffer.alloc(MIB, 1))
    const first = await snapshotOf(diskId)
    await azure.writeDisk(diskId, MIB, Buffer.alloc(4096, 2))
    const second = await snapshotOf(diskId)
    const [one, two] = [await copyOf(first), await copyOf(second)]
    expect(two.incrementalSnapshotFamilyId).toBe(one.incrementalSnapshotFamilyId)
    expect(one.incrementalSnapshotFamilyId).not.toBe(first.incrementalSnapshotFamilyId)
    const moved = (copy: Snapshot): unknown => azure.usage().find(({ id }) => id === copy.id)?.movedBytes
    expect([moved(one), moved(two)]).toEqual([MIB, 4096])

    const [older, newer] = [await exportOf(one), await exportOf(two)]
    const diff = await newer.getPageRangesDiffForManagedDisks(0, 4 * MIB, older.url)
    expect(diff.pageRange).toEqual([{ offset: MIB, count: 4095 }])
    const original = await exportOf(first)
    const across = newer.getPageRangesDiffForManagedDisks(0, 4 * MIB, original.url)
    expect(await refusalOf(across)).toMatchObject({ status: 409 })
  })

  test('fails with CopySourceNotFound when its source is deleted meanwhile', async () => {
    azure.changeSettings({ regionCopyMs: 100_000 })
    const source = await snapshotOf(aDisk())
    const copy = await copyOf(source)
    later(30_000)
    await client.snapshots.delete(GROUP, source.name ?? '')
    later(100_000)
    const failed = await read(copy)
    expect(failed.copyCompletionError).toMatchObject({ errorCode: 'CopySourceNotFound' })
    expect(failed.completionPercent).toBeLessThan(100)
    expect(await refusalOf(exportOf(copy))).toMatchObject({ status: 409 })
  })

  test('outlives its source once it is complete', async () => {
    const source = await snapshotOf(aDisk())
    const copy = await copyOf(source)
    await client.snapshots.delete(GROUP, source.name ?? '')
    expect(await read(copy)).toMatchObject({ completionPercent: 100 })
    expect((await read(copy)).copyCompletionError).toBeUndefined()
  })

  test('stands still while a fault stalls it', async () => {
    azure.changeSettings({ regionCopyMs: 100_000 })
    const copy = await copyOf(await snapshotOf(aDisk()))
    azure.faults.add({ resource: `*/${copy.name}`, effect: { kind: 'stallCompletion', percent: 40 } })
    later(1_000_000)
    expect((await read(copy)).completionPercent).toBe(40)
    azure.faults.clear()
    expect((await read(copy)).completionPercent).toBe(100)
  })
})

describe('CopyStart', () => {
  test('copies one snapshot of a disk at a time into a region', async () => {
    azure.changeSettings({ regionCopyMs: 100_000 })
    const diskId = aDisk()
    const [first, second] = [await snapshotOf(diskId), await snapshotOf(diskId)]
    await copyOf(first)
    expect(await refusalOf(copyOf(second))).toMatchObject({ status: 409, code: 'OperationNotAllowed' })
    await copyOf(first, 'uksouth')
    await copyOf(await snapshotOf(aDisk()))
    later(101_000)
    await copyOf(second)
  })

  test('copies the snapshots of a disk in the order of their creation', async () => {
    const diskId = aDisk()
    const [first, second] = [await snapshotOf(diskId), await snapshotOf(diskId)]
    await copyOf(second)
    const refusal = await refusalOf(copyOf(first))
    expect(refusal).toMatchObject({ status: 400, code: 'InvalidParameter' })
    expect(refusal.message).toContain('in the order they were created')
  })

  test('copies so many to a region at a time', async () => {
    azure.changeSettings({ regionCopyMs: 100_000, copiesPerRegion: 1 })
    await copyOf(await snapshotOf(aDisk()), 'japaneast')
    expect(await refusalOf(copyOf(await snapshotOf(aDisk()), 'japaneast'))).toMatchObject({ status: 409 })
    await copyOf(await snapshotOf(aDisk()), 'japanwest')
  })

  test('copies incremental snapshots only, and to incremental ones', async () => {
    const source = await snapshotOf(aDisk())
    expect(await refusalOf(copyOf(source, 'uksouth', { incremental: false }))).toMatchObject({ status: 400 })
    const full = await client.snapshots.createOrUpdate(GROUP, 'full', {
      location: 'westeurope',
      creationData: { createOption: 'Copy', sourceResourceId: source.id ?? '' },
    })
    expect(await refusalOf(copyOf(full))).toMatchObject({ status: 400, code: 'InvalidParameter' })
  })
})

describe('instant access', () => {
  const instant = (diskId: string): Promise<Snapshot> => snapshotOf(diskId, { instantAccessDurationMinutes: 60 })

  test('makes disks before the background copy ends, and no exports', async () => {
    azure.changeSettings({ backgroundCopyMs: 600_000 })
    const diskId = aDisk('PremiumV2_LRS')
    const snapshot = await instant(diskId)
    expect((await read(snapshot)).snapshotAccessState).toBe('InstantAccess')
    expect(await refusalOf(exportOf(snapshot))).toMatchObject({ status: 409 })
    expect(await refusalOf(copyOf(snapshot))).toMatchObject({ status: 409 })
    await client.disks.createOrUpdate(GROUP, `instant-${names++}`, {
      location: 'westeurope',
      sku: { name: 'PremiumV2_LRS' },
      creationData: { createOption: 'Copy', sourceResourceId: snapshot.id ?? '' },
    })
    later(601_000)
    expect((await read(snapshot)).snapshotAccessState).toBe('AvailableWithInstantAccess')
    later(3_600_000)
    expect((await read(snapshot)).snapshotAccessState).toBe('Available')
  })

  test('is for Ultra and Premium SSD v2 only, and for 60 to 300 minutes', async () => {
    expect(await refusalOf(instant(aDisk()))).toMatchObject({ status: 400, code: 'InvalidParameter' })
    const short = snapshotOf(aDisk('UltraSSD_LRS'), { instantAccessDurationMinutes: 59 })
    expect(await refusalOf(short)).toMatchObject({ status: 400, code: 'InvalidParameter' })
  })
})
