import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { ComputeManagementClient } from '@azure/arm-compute'
import { AnonymousCredential, ContainerClient, PageBlobClient } from '@azure/storage-blob'
import type { LocalAzure } from '../../simulator/azure.ts'
import { computeClient, credentialOf, MIB, refusalOf, startForTests } from './local-azure-support.ts'
import { readVhdx } from './support/read-vhdx.ts'

/** Disks with sectors of 4,096 bytes are exported as VHDX. `readVhdx` knows the format from its specification alone. */

const GROUP = 'vhdx-rg'
const GIB = 1024 * MIB
const HEAD_BYTES = 6 * MIB
const DATA = Buffer.alloc(8192, 'the first block ')
const LAST = Buffer.alloc(4096, 'the very end ')

let azure: LocalAzure
let client: ComputeManagementClient
let names = 0
beforeAll(async () => {
  azure = await startForTests()
  client = computeClient(azure)
  azure.createAccount({ name: 'target' })
  azure.createContainer('target', 'points')
})
afterAll(() => azure.close())
beforeEach(() => void azure.changeSettings({ vhdxDiff: 'refuse' }))

const aDisk = (sizeGib = 1): string =>
  azure.createDisk({ name: `disk-${names++}`, resourceGroup: GROUP, sizeGib, sku: 'PremiumV2_LRS' }).id

async function snapshotOf(diskId: string): Promise<string> {
  const name = `snapshot-${names++}`
  const creationData = { createOption: 'Copy', sourceResourceId: diskId }
  await client.snapshots.createOrUpdate(GROUP, name, { location: 'westeurope', incremental: true, creationData })
  return name
}

async function vhdxOf(name: string): Promise<PageBlobClient> {
  const { accessSAS = '' } = await client.snapshots.grantAccess(GROUP, name, {
    access: 'Read',
    durationInSeconds: 600,
    fileFormat: 'VHDX',
  })
  return new PageBlobClient(accessSAS, new AnonymousCredential())
}

const readerOf = (blob: PageBlobClient) => (offsetBytes: number, lengthBytes: number) =>
  blob.downloadToBuffer(offsetBytes, lengthBytes)

/** Start and end, both inclusive, of the written ranges of a list, or of its cleared ones. */
const rangesOf = (ranges: { offset: number; count?: number }[] | undefined): [number, number][] =>
  (ranges ?? []).map(({ offset, count = 0 }) => [offset, offset + count])

describe('a snapshot of a disk with 4,096-byte sectors', () => {
  test('is exported as a fixed VHDX of the size, the sectors and the content of the disk', async () => {
    const diskId = aDisk()
    await azure.writeDisk(diskId, 300 * MIB, DATA)
    await azure.writeDisk(diskId, GIB - LAST.length, LAST)
    const blob = await vhdxOf(await snapshotOf(diskId))
    expect((await blob.getProperties()).contentLength).toBe(HEAD_BYTES + GIB)
    const vhdx = await readVhdx(readerOf(blob))
    expect(vhdx).toMatchObject({
      diskSizeBytes: GIB,
      logicalSectorBytes: 4096,
      physicalSectorBytes: 4096,
      isFixed: true,
      hasParent: false,
    })
    expect(await vhdx.read(300 * MIB, DATA.length)).toEqual(DATA)
    expect(await vhdx.read(GIB - LAST.length, LAST.length)).toEqual(LAST)
    expect(await vhdx.read(0, 4096)).toEqual(Buffer.alloc(4096))
  })

  test('of 64 TiB has all of its blocks in order behind the same head', async () => {
    const diskId = aDisk(65_536)
    await azure.writeDisk(diskId, 65_536 * GIB - LAST.length, LAST)
    const blob = await vhdxOf(await snapshotOf(diskId))
    expect((await blob.getProperties()).contentLength).toBe(HEAD_BYTES + 65_536 * GIB)
    const vhdx = await readVhdx(readerOf(blob))
    expect(vhdx.diskSizeBytes).toBe(65_536 * GIB)
    expect(await vhdx.read(65_536 * GIB - LAST.length, LAST.length)).toEqual(LAST)
  })

  test('lists the head and what was written as pages, whole, in windows and in parts of a list', async () => {
    const diskId = aDisk()
    await azure.writeDisk(diskId, 0, DATA)
    await azure.writeDisk(diskId, MIB, DATA)
    const blob = await vhdxOf(await snapshotOf(diskId))
    const later = [HEAD_BYTES + MIB, HEAD_BYTES + MIB + DATA.length - 1]
    expect(rangesOf((await blob.getPageRanges()).pageRange)).toEqual([[0, HEAD_BYTES + DATA.length - 1], later])
    const window = await blob.getPageRanges(HEAD_BYTES - 512, 1024)
    expect(rangesOf(window.pageRange)).toEqual([[HEAD_BYTES - 512, HEAD_BYTES + 511]])
    const parts: unknown[] = []
    for await (const { pageRange = [] } of blob.listPageRanges(0, undefined).byPage({ maxPageSize: 1 })) {
      parts.push(pageRange.map((range) => [range.start, range.end]))
    }
    expect(parts).toEqual([[[0, HEAD_BYTES + DATA.length - 1]], [later]])
  })

  test('is read across the end of its head as one', async () => {
    const diskId = aDisk()
    await azure.writeDisk(diskId, 0, DATA)
    const blob = await vhdxOf(await snapshotOf(diskId))
    const across = await blob.downloadToBuffer(3 * MIB, 3 * MIB + 100)
    expect(across.readBigUInt64LE(0)).toBe(BigInt(HEAD_BYTES) | 6n)
    expect(across.subarray(3 * MIB)).toEqual(DATA.subarray(0, 100))
    expect(across.subarray(1024, 3 * MIB).every((byte) => byte === 0)).toBe(true)
  })

  test('takes up the 6 MiB of its head when it is empty', async () => {
    const name = await snapshotOf(aDisk())
    expect(azure.usage().find(({ id }) => id.endsWith(`/${name}`))?.usedBytes).toBe(HEAD_BYTES)
  })

  test('has no other format, and needs to be told it', async () => {
    const name = await snapshotOf(aDisk())
    const access = { access: 'Read', durationInSeconds: 600 } as const
    const untold = await refusalOf(client.snapshots.grantAccess(GROUP, name, access))
    expect(untold.status).toBe(400)
    expect(untold.message).toContain('logical sector size of 4096 requires specifying the file format')
    const asVhd = await refusalOf(client.snapshots.grantAccess(GROUP, name, { ...access, fileFormat: 'VHD' }))
    expect(asVhd).toMatchObject({ status: 400, code: 'InvalidParameter' })
  })

  test('is copied by ranges and as a whole', async () => {
    const diskId = aDisk()
    await azure.writeDisk(diskId, 5 * MIB, DATA)
    const blob = await vhdxOf(await snapshotOf(diskId))
    const container = new ContainerClient(`${azure.blobEndpoint}/target/points`, credentialOf(azure))
    const part = container.getPageBlobClient('part')
    await part.create(8192)
    await part.uploadPagesFromURL(blob.url, HEAD_BYTES + 5 * MIB, 0, DATA.length)
    expect(await part.downloadToBuffer()).toEqual(DATA)

    const whole = container.getPageBlobClient('whole')
    await (await whole.beginCopyFromURL(blob.url)).pollUntilDone()
    const vhdx = await readVhdx(readerOf(whole))
    expect(await vhdx.read(5 * MIB, DATA.length)).toEqual(DATA)
    expect((await whole.getPageRanges()).pageRange).toEqual((await blob.getPageRanges()).pageRange)
  })
})

describe('a diff of two exports as VHDX', () => {
  const twoExports = async (): Promise<[older: PageBlobClient, newer: PageBlobClient]> => {
    const diskId = aDisk()
    await azure.writeDisk(diskId, 0, DATA)
    const older = await vhdxOf(await snapshotOf(diskId))
    await azure.writeDisk(diskId, MIB, DATA)
    azure.clearDisk(diskId, 0, 4096)
    return [older, await vhdxOf(await snapshotOf(diskId))]
  }
  const diff = ([older, newer]: [PageBlobClient, PageBlobClient]) =>
    newer.getPageRangesDiffForManagedDisks(0, HEAD_BYTES + GIB, older.url)

  test('is refused, as long as nothing else is set', async () => {
    expect(await refusalOf(diff(await twoExports()))).toMatchObject({
      status: 409,
      code: 'PreviousSnapshotOperationNotSupported',
    })
  })

  test('is answered by setting, in addresses of the file', async () => {
    azure.changeSettings({ vhdxDiff: 'answer' })
    const answer = await diff(await twoExports())
    expect(rangesOf(answer.pageRange)).toEqual([[HEAD_BYTES + MIB, HEAD_BYTES + MIB + DATA.length - 1]])
    expect(rangesOf(answer.clearRange)).toEqual([[HEAD_BYTES, HEAD_BYTES + 4095]])
  })
})
