import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { ComputeManagementClient, CreationData, Disk } from '@azure/arm-compute'
import type { LocalAzure } from '../../simulator/azure.ts'
import { callResourceManager, computeClient, refusalOf, startForTests } from './local-azure-support.ts'

const GROUP = 'disks-rg'
const MIB = 1024 ** 2
const GIB = 1024 ** 3

let azure: LocalAzure
let client: ComputeManagementClient
beforeAll(async () => {
  azure = await startForTests()
  client = computeClient(azure)
  azure.createResourceGroup({ name: GROUP })
})
afterAll(() => azure.close())
beforeEach(() => void azure.changeSettings({ pageSize: 50, operationMs: 0 }))

const emptyDisk = (sizeGib: number, more: Partial<Disk> = {}): Disk => ({
  location: 'westeurope',
  creationData: { createOption: 'Empty' },
  diskSizeGB: sizeGib,
  ...more,
})

const diskOf = (creationData: CreationData): Disk => ({ location: 'westeurope', creationData })
const anUpload = (uploadSizeBytes: number): Disk => diskOf({ createOption: 'Upload', uploadSizeBytes })
const LARGE_SECTORS: Disk = { ...anUpload(20_972_032), sku: { name: 'UltraSSD_LRS' } }
const REDUNDANT = { name: 'Premium_ZRS' }

describe('a disk', () => {
  test('comes back from PUT and GET with what it was made of', async () => {
    const described = {
      tags: { app: 'erp' },
      zones: ['2'],
      osType: 'Linux' as const,
      hyperVGeneration: 'V2',
      purchasePlan: { name: 'n', publisher: 'p', product: 'q' },
      supportedCapabilities: { architecture: 'Arm64', diskControllerTypes: 'SCSI, NVMe' },
      securityProfile: { securityType: 'TrustedLaunch' },
    }
    const made = await client.disks.createOrUpdate(GROUP, 'full', {
      ...emptyDisk(64, { ...described, sku: { name: 'Premium_LRS' } }),
    })
    const read = await client.disks.get(GROUP, 'full')
    expect(read).toEqual(made)
    expect(read).toMatchObject({
      ...described,
      id: `/subscriptions/${azure.subscriptionId}/resourceGroups/${GROUP}/providers/Microsoft.Compute/disks/full`,
      type: 'Microsoft.Compute/disks',
      location: 'westeurope',
      sku: { name: 'Premium_LRS', tier: 'Premium' },
      diskSizeGB: 64,
      diskSizeBytes: 64 * GIB,
      diskState: 'Unattached',
      provisioningState: 'Succeeded',
      creationData: { createOption: 'Empty' },
      networkAccessPolicy: 'AllowAll',
    })
    expect(read.uniqueId).toMatch(/^[0-9a-f-]{36}$/)
    expect(read.timeCreated).toBeInstanceOf(Date)
  })

  test('is found by its id in any case, and keeps its own', async () => {
    await client.disks.createOrUpdate(GROUP, 'MixedCase', emptyDisk(1))
    const read = await client.disks.get(GROUP.toUpperCase(), 'mixedCASE')
    expect(read.name).toBe('MixedCase')
    expect(read.id).toContain(`/resourceGroups/${GROUP}/`)
  })

  test('of the same name after a deletion is another disk', async () => {
    const first = await client.disks.createOrUpdate(GROUP, 'phoenix', emptyDisk(1))
    await client.disks.delete(GROUP, 'phoenix')
    const gone = await refusalOf(client.disks.get(GROUP, 'phoenix'))
    expect(gone).toMatchObject({ status: 404, code: 'ResourceNotFound' })
    const second = await client.disks.createOrUpdate(GROUP, 'phoenix', emptyDisk(1))
    expect(second.uniqueId).not.toBe(first.uniqueId)
    await client.disks.delete(GROUP, 'never-there')
  })

  test('has sectors of 4096 bytes as Ultra or Premium SSD v2, and 512 otherwise', async () => {
    const made = await client.disks.createOrUpdate(GROUP, 'v2', emptyDisk(8, { sku: { name: 'PremiumV2_LRS' } }))
    expect(made.creationData?.logicalSectorSize).toBe(4096)
    const small = await client.disks.createOrUpdate(
      GROUP,
      'v2-512',
      emptyDisk(8, {
        sku: { name: 'PremiumV2_LRS' },
        creationData: { createOption: 'Empty', logicalSectorSize: 512 },
      }),
    )
    expect(small.creationData?.logicalSectorSize).toBe(512)
    const refused = emptyDisk(8, { creationData: { createOption: 'Empty', logicalSectorSize: 4096 } })
    expect(await refusalOf(client.disks.createOrUpdate(GROUP, 'no', refused))).toMatchObject({ status: 400 })
  })

  test('grows but never shrinks; other properties of a PATCH leave the size alone', async () => {
    await client.disks.createOrUpdate(GROUP, 'growing', emptyDisk(4))
    const grown = await client.disks.update(GROUP, 'growing', { diskSizeGB: 6, tags: { size: 'six' } })
    expect(grown).toMatchObject({ diskSizeGB: 6, diskSizeBytes: 6 * GIB, tags: { size: 'six' } })
    const resold = await client.disks.update(GROUP, 'growing', { sku: { name: 'StandardSSD_LRS' } })
    expect(resold).toMatchObject({ diskSizeGB: 6, tags: { size: 'six' }, sku: { name: 'StandardSSD_LRS' } })
    expect(await refusalOf(client.disks.update(GROUP, 'growing', { diskSizeGB: 5 }))).toMatchObject({ status: 400 })
  })

  test('may have some MiB beyond whole GiB, which `diskSizeGB` leaves out and copies keep', async () => {
    const sizes = { diskSizeBytes: 2 * GIB + MIB, diskSizeGB: 2 }
    const { id } = azure.createDisk({ name: 'of-an-image', resourceGroup: GROUP, sizeGib: 2, extraMib: 1 })
    expect(await client.disks.get(GROUP, 'of-an-image')).toMatchObject(sizes)
    const copy = diskOf({ createOption: 'Copy', sourceResourceId: id })
    expect(await client.disks.createOrUpdate(GROUP, 'copy-of-it', copy)).toMatchObject(sizes)
    expect(await client.disks.createOrUpdate(GROUP, 'copy-as-shown', { ...copy, diskSizeGB: 2 })).toMatchObject(sizes)
    // The size that it is shown with, as a template sends it again.
    expect(await client.disks.update(GROUP, 'of-an-image', { diskSizeGB: 2 })).toMatchObject(sizes)
    expect(await refusalOf(client.disks.update(GROUP, 'of-an-image', { diskSizeGB: 1 }))).toMatchObject({ status: 400 })
    expect(await client.disks.update(GROUP, 'of-an-image', { diskSizeGB: 3 })).toMatchObject({ diskSizeBytes: 3 * GIB, diskSizeGB: 3 })
  })

  test('a second PUT may change it, but not where it came from', async () => {
    const first = await client.disks.createOrUpdate(GROUP, 'twice', emptyDisk(2))
    const second = await client.disks.createOrUpdate(GROUP, 'twice', emptyDisk(3, { tags: { a: 'b' } }))
    expect(second).toMatchObject({ uniqueId: first.uniqueId, diskSizeGB: 3, tags: { a: 'b' } })
    expect(await refusalOf(client.disks.createOrUpdate(GROUP, 'twice', anUpload(20_972_032)))).toMatchObject({
      status: 409,
      code: 'PropertyChangeNotAllowed',
    })
  })

  test('is copied with its content and its properties, and lives on by itself', async () => {
    const properties = { osType: 'Windows' }
    const { id } = azure.createDisk({ name: 'origin', resourceGroup: GROUP, sizeGib: 1, properties })
    await azure.writeDisk(id, 4096, Buffer.alloc(512, 1))
    const copy = await client.disks.createOrUpdate(GROUP, 'copy', {
      location: 'westeurope',
      creationData: { createOption: 'Copy', sourceResourceId: id },
      diskSizeGB: 2,
    })
    expect(copy).toMatchObject({ osType: 'Windows', diskSizeGB: 2 })
    expect(copy.creationData?.sourceUniqueId).toBe((await client.disks.get(GROUP, 'origin')).uniqueId)
    await azure.writeDisk(id, 4096, Buffer.alloc(512, 2))
    expect(await azure.readDisk(copy.id ?? '', 4096, 2)).toEqual(Buffer.from([1, 1]))
  })
})

describe('refused are', () => {
  test.each<[string, string, Disk, string]>([
    ['a name with a space', 'no good', emptyDisk(1), 'InvalidParameter'],
    ['a name of 81 characters', 'x'.repeat(81), emptyDisk(1), 'InvalidParameter'],
    ['an unknown region', 'a', emptyDisk(1, { location: 'atlantis' }), 'LocationNotAvailableForResourceType'],
    ['an unknown SKU', 'a', emptyDisk(1, { sku: { name: 'Gold_LRS' } }), 'InvalidParameter'],
    ['zone redundancy without zones', 'a', emptyDisk(1, { location: 'ukwest', sku: REDUNDANT }), 'InvalidParameter'],
    ['a disk of 33 TiB', 'a', emptyDisk(33 * 1024), 'InvalidParameter'],
    ['an empty disk without a size', 'a', diskOf({ createOption: 'Empty' }), 'InvalidParameter'],
    ['an upload that is too small', 'a', anUpload(20_971_520), 'InvalidParameter'],
    ['an upload of half a mebibyte more', 'a', anUpload(20_972_032 + 524_288), 'InvalidParameter'],
    ['an upload with sectors of 4,096 bytes', 'a', LARGE_SECTORS, 'NotSupportedByLocalAzure'],
    ['what the local Azure cannot do', 'a', diskOf({ createOption: 'FromImage' }), 'NotSupportedByLocalAzure'],
  ])('%s', async (_title, name, disk, code) => {
    expect(await refusalOf(client.disks.createOrUpdate(GROUP, name, disk))).toMatchObject({ status: 400, code })
  })

  test('unknown groups, subscriptions and versions', async () => {
    const nowhere = await refusalOf(client.disks.get('nowhere', 'a'))
    expect(nowhere).toMatchObject({ status: 404, code: 'ResourceGroupNotFound' })
    const elsewhere = await callResourceManager(azure, 'GET', '/subscriptions/x/resourceGroups?api-version=2022-09-01')
    expect(await elsewhere.json()).toMatchObject({ error: { code: 'SubscriptionNotFound' } })
    const unversioned = await callResourceManager(azure, 'GET', '/subscriptions')
    expect(unversioned.status).toBe(400)
    expect(await unversioned.json()).toMatchObject({ error: { code: 'MissingApiVersionParameter' } })
    const garbled = await callResourceManager(azure, 'GET', '/subscriptions?api-version=latest')
    expect(await garbled.json()).toMatchObject({ error: { code: 'InvalidApiVersionParameter' } })
  })
})

describe('lists', () => {
  test('come in pages with nextLink, of a group or of the subscription', async () => {
    const paged = 'paged-rg'
    const names = Array.from({ length: 7 }, (_, index) => `disk-${index}`)
    for (const name of names) azure.createDisk({ name, resourceGroup: paged, sizeGib: 1 })
    azure.changeSettings({ pageSize: 3 })

    const sizes: number[] = []
    for await (const page of client.disks.listByResourceGroup(paged).byPage()) sizes.push(page.length)
    expect(sizes).toEqual([3, 3, 1])

    const listed: Array<string | undefined> = []
    for await (const disk of client.disks.listByResourceGroup(paged.toUpperCase())) listed.push(disk.name)
    expect(listed).toEqual(names)
    const all: Array<string | undefined> = []
    for await (const disk of client.disks.list()) all.push(disk.name)
    expect(all).toEqual(expect.arrayContaining(names))
    expect(new Set(all).size).toBe(all.length)
  })

  test('skip nothing when something on an earlier page is deleted meanwhile', async () => {
    const shrinking = 'shrinking-rg'
    const ids = ['a', 'b', 'c', 'd'].map((name) => azure.createDisk({ name, resourceGroup: shrinking, sizeGib: 1 }).id)
    azure.changeSettings({ pageSize: 2 })
    const seen: Array<string | undefined> = []
    for await (const page of client.disks.listByResourceGroup(shrinking).byPage()) {
      seen.push(...page.map((disk) => disk.name))
      if (seen.length === 2) azure.deleteDisk(ids[0] ?? '')
    }
    expect(seen).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('a long-running operation', () => {
  const subscription = (): string => `/subscriptions/${azure.subscriptionId}`
  const operations = (): string => `${subscription()}/providers/Microsoft.Compute/locations/westeurope/DiskOperations/`
  const path = (name: string): string =>
    `${subscription()}/resourceGroups/${GROUP}/providers/Microsoft.Compute/disks/${name}?api-version=2025-01-02`

  const put = (name: string): Promise<Response> =>
    callResourceManager(azure, 'PUT', path(name), {
      location: 'westeurope',
      properties: { creationData: { createOption: 'Empty' }, diskSizeGB: 1 },
    })

  test('is polled at Azure-AsyncOperation and at Location', async () => {
    azure.changeSettings({ operationMs: 3_600_000 })
    const accepted = await put('polled')
    expect(accepted.status).toBe(202)
    expect(await accepted.json()).toMatchObject({ name: 'polled', properties: { provisioningState: 'Creating' } })
    const status = accepted.headers.get('azure-asyncoperation') ?? ''
    const monitor = accepted.headers.get('location') ?? ''
    const address = `^${azure.resourceManagerEndpoint}${operations()}[0-9a-f-]{36}\\?api-version=2025-01-02$`
    expect(status).toMatch(new RegExp(address))
    expect(monitor).toBe(status.replace('?', '?monitor=true&'))

    expect((await callResourceManager(azure, 'GET', monitor)).status).toBe(202)
    const running = await callResourceManager(azure, 'GET', status)
    expect(running.headers.get('retry-after')).toBe('0')
    expect(await running.json()).toMatchObject({ status: 'InProgress', startTime: expect.any(String) })
  })

  test('has the same end at both', async () => {
    azure.changeSettings({ operationMs: 30 })
    const accepted = await put('ending')
    const monitor = accepted.headers.get('location') ?? ''
    let bare = await callResourceManager(azure, 'GET', monitor)
    while (bare.status === 202) bare = await callResourceManager(azure, 'GET', monitor)
    expect(bare.status).toBe(200)

    const status = accepted.headers.get('azure-asyncoperation') ?? ''
    const end = (await (await callResourceManager(azure, 'GET', status)).json()) as Record<string, unknown>
    expect(end).toMatchObject({
      status: 'Succeeded',
      endTime: expect.any(String),
      properties: { output: { name: 'ending', properties: { provisioningState: 'Succeeded' } } },
    })
    expect(await bare.json()).toEqual((end['properties'] as { output: unknown }).output)
  })

  test('goes to its end when its client never polls', async () => {
    azure.changeSettings({ operationMs: 30 })
    await put('abandoned')
    const state = async (): Promise<unknown> => (await client.disks.get(GROUP, 'abandoned')).provisioningState
    while ((await state()) === 'Creating') await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await state()).toBe('Succeeded')
  })

  test('that nobody started is not found', async () => {
    expect((await callResourceManager(azure, 'GET', `${operations()}x?api-version=2025-01-02`)).status).toBe(404)
  })
})
