import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { StorageCRC64Calculator } from '@azure/storage-common'
import type { ContainerClient, PageBlobClient } from '@azure/storage-blob'
import { crc64Base64 } from '../../simulator/blob-service/crc64.ts'
import { ACCOUNT, failure, page, startBlobFixture, type BlobFixture } from './blob-fixture.ts'

let azure: BlobFixture
let container: ContainerClient
let blob: PageBlobClient
let path: string
let count = 0
const MIB = 2 ** 20

beforeAll(async () => {
  azure = await startBlobFixture()
  container = azure.sdk.getContainerClient('pages')
  await container.create()
})
afterAll(() => azure.close())
beforeEach(async () => {
  count += 1
  blob = container.getPageBlobClient(`disk-${count}.vhd`)
  path = `pages/disk-${count}.vhd`
  await blob.create(16 * MIB)
})

describe('creating', () => {
  test('takes whole pages up to 8 TiB only', async () => {
    const other = container.getPageBlobClient('sizes')
    expect(await failure(other.create(1000))).toEqual({ statusCode: 400, code: 'InvalidHeaderValue' })
    expect(await failure(other.create(8 * 2 ** 40 + 512))).toEqual({ statusCode: 400, code: 'OutOfRangeInput' })
    await other.create(8 * 2 ** 40)
    expect((await other.getProperties()).contentLength).toBe(8 * 2 ** 40)
  })

  test('is refused by accounts with a hierarchical namespace', async () => {
    const lake = azure.sdkOf({ name: 'lake', isHnsEnabled: true }).getContainerClient('pages')
    await lake.create()
    const refused = { statusCode: 400, code: 'BlobTypeNotSupported' }
    expect(await failure(lake.getPageBlobClient('disk').create(512))).toEqual(refused)
    await lake.getBlockBlobClient('file').upload('text', 4)
  })

  test('is all that a premium page-blob account takes', async () => {
    const premium = azure.sdkOf({ name: 'premium', sku: 'Premium_LRS' }).getContainerClient('pages')
    await premium.create()
    expect(await failure(premium.getBlockBlobClient('file').upload('text', 4))).toMatchObject({
      code: 'BlobTypeNotSupported',
    })
    const disk = premium.getPageBlobClient('disk')
    await disk.create(512)
    const { snapshot } = await disk.createSnapshot()
    expect(await failure(disk.createSnapshot())).toMatchObject({ code: 'SnapshotOperationRateExceeded' })
    expect(await failure(disk.withSnapshot(snapshot!).download())).toMatchObject({ code: 'BlobOperationNotSupported' })
  })

  test('only if absent is told apart from a changed ETag', async () => {
    expect(await failure(blob.create(512, { conditions: { ifNoneMatch: '*' } }))).toEqual({
      statusCode: 409,
      code: 'BlobAlreadyExists',
    })
    expect(await failure(blob.create(512, { conditions: { ifMatch: '"0x1"' } }))).toEqual({
      statusCode: 412,
      code: 'ConditionNotMet',
    })
  })
})

describe('writing pages', () => {
  test('keeps what is written and gives zeros elsewhere', async () => {
    const data = randomBytes(4 * MIB)
    await blob.uploadPages(data, 512, data.length)
    const read = await blob.downloadToBuffer(0, 5 * MIB)
    expect(read.subarray(0, 512)).toEqual(page(0))
    expect(read.subarray(512, 512 + data.length).equals(data)).toBe(true)
  })

  test('of more than 4 MiB is refused', async () => {
    const answer = await azure.call(
      'PUT',
      `${path}?comp=page`,
      { 'x-ms-page-write': 'update', range: `bytes=0-${4 * MIB + 511}` },
      Buffer.alloc(4 * MIB + 512),
    )
    expect([answer.status, answer.code]).toEqual([413, 'RequestBodyTooLarge'])
  })

  test.each([
    ['bytes=1-512', 416, 'InvalidPageRange'],
    ['bytes=0-510', 416, 'InvalidPageRange'],
    [`bytes=${16 * MIB}-${16 * MIB + 511}`, 416, 'InvalidPageRange'],
    ['bytes=0-1023', 400, 'InvalidHeaderValue'],
    ['pages 1 to 2', 400, 'InvalidHeaderValue'],
  ])('at %s is refused', async (range, status, code) => {
    const answer = await azure.call('PUT', `${path}?comp=page`, { 'x-ms-page-write': 'update', range }, page(1))
    expect([answer.status, answer.code]).toEqual([status, code])
  })

  test('verifies a checksum and answers with the same kind', async () => {
    const data = randomBytes(1024)
    const crc64 = crc64Base64(data)
    const headers = { 'x-ms-page-write': 'update', range: 'bytes=0-1023' }
    const put = (checksum: Record<string, string>) =>
      azure.call('PUT', `${path}?comp=page`, { ...headers, ...checksum }, data)
    expect((await put({})).headers['x-ms-content-crc64']).toBe(crc64)
    expect((await put({ 'x-ms-content-crc64': crc64 })).status).toBe(201)
    expect((await put({ 'x-ms-content-crc64': crc64Base64(page(1)) })).code).toBe('Crc64Mismatch')
    expect((await put({ 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' })).code).toBe('Md5Mismatch')
    expect((await put({ 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==', 'x-ms-content-crc64': crc64 })).status).toBe(400)
  })

  test('changes the ETag every time', async () => {
    const first = await blob.uploadPages(page(1), 0, 512)
    const second = await blob.uploadPages(page(1), 0, 512)
    const third = await blob.clearPages(0, 512)
    expect(new Set([first.etag, second.etag, third.etag]).size).toBe(3)
    expect((await blob.getProperties()).etag).toBe(third.etag)
  })

  test('may be cleared over any length in one request', async () => {
    await blob.uploadPages(page(1, 16), 8192, 8192)
    await blob.clearPages(0, 16 * MIB)
    expect((await blob.getPageRanges()).pageRange).toEqual([])
  })
})

describe('the CRC64 of the service', () => {
  test.each([0, 1, 7, 8, 511, 4096, 65_537])("is that of Azure's own SDK for %i bytes", async (length) => {
    await StorageCRC64Calculator.init()
    const calculator = new StorageCRC64Calculator()
    const data = randomBytes(length)
    calculator.append(data, data.length)
    const final = calculator.final(new Uint8Array(0), 0)
    expect(crc64Base64(data)).toBe(Buffer.from(final).toString('base64'))
  })
})

describe('the sequence number', () => {
  test('fences writes of an earlier epoch', async () => {
    await blob.updateSequenceNumber('update', 7)
    await blob.uploadPages(page(1), 0, 512, { conditions: { ifSequenceNumberEqualTo: 7 } })
    await blob.updateSequenceNumber('increment')
    const late = { conditions: { ifSequenceNumberEqualTo: 7 } }
    const refused = { statusCode: 412, code: 'SequenceNumberConditionNotMet' }
    expect(await failure(blob.uploadPages(page(2), 0, 512, late))).toEqual(refused)
    expect(await failure(blob.clearPages(0, 512, late))).toEqual(refused)
    expect((await blob.downloadToBuffer(0, 1))[0]).toBe(1)
    expect((await blob.getProperties()).blobSequenceNumber).toBe(8)
  })

  test('compares as le, lt and eq, and max never lowers it', async () => {
    await blob.updateSequenceNumber('max', 5)
    await blob.updateSequenceNumber('max', 3)
    await blob.uploadPages(page(1), 0, 512, { conditions: { ifSequenceNumberLessThanOrEqualTo: 5 } })
    await blob.uploadPages(page(1), 0, 512, { conditions: { ifSequenceNumberLessThan: 6 } })
    expect(
      await failure(blob.uploadPages(page(1), 0, 512, { conditions: { ifSequenceNumberLessThan: 5 } })),
    ).toMatchObject({ statusCode: 412 })
  })

  test('is kept by a snapshot', async () => {
    await blob.updateSequenceNumber('update', 9)
    const { snapshot } = await blob.createSnapshot()
    await blob.updateSequenceNumber('increment')
    expect((await blob.withSnapshot(snapshot!).getProperties()).blobSequenceNumber).toBe(9)
  })
})

describe('a resize', () => {
  test('grows with zeros and cuts what lies behind', async () => {
    await blob.uploadPages(page(1, 2), 0, 1024)
    await blob.resize(512)
    await blob.resize(2048)
    expect(await blob.downloadToBuffer()).toEqual(Buffer.concat([page(1), page(0, 3)]))
  })
})

describe('reading', () => {
  test('a range gives it with its checksum when asked for', async () => {
    const data = randomBytes(1024)
    await blob.uploadPages(data, 0, 1024)
    const answer = await azure.call('GET', path, {
      'x-ms-range': 'bytes=1-1000',
      'x-ms-range-get-content-crc64': 'true',
    })
    expect(answer.status).toBe(206)
    expect(answer.body.equals(data.subarray(1, 1001))).toBe(true)
    expect(answer.headers['content-range']).toBe(`bytes 1-1000/${16 * MIB}`)
    expect(answer.headers['x-ms-content-crc64']).toBe(crc64Base64(answer.body))
  })

  test('behind the end is 416, over the end is cut', async () => {
    const behind = await azure.call('GET', path, { range: `bytes=${16 * MIB}-` })
    expect([behind.status, behind.code]).toEqual([416, 'InvalidRange'])
    const over = await azure.call('GET', path, { range: `bytes=${16 * MIB - 100}-${20 * MIB}` })
    expect(over.body.length).toBe(100)
  })

  test('with the ETag it has answers 304', async () => {
    const { etag } = await blob.getProperties()
    expect((await azure.call('GET', path, { 'if-none-match': etag! })).status).toBe(304)
    expect((await azure.call('GET', path, { 'if-match': '"0x0"' })).status).toBe(412)
  })

  test('is not disturbed by writes under way', async () => {
    await blob.uploadPages(page(1, 8192), 0, 4 * MIB)
    await blob.uploadPages(page(1, 8192), 4 * MIB, 4 * MIB)
    const download = await blob.download(0, 8 * MIB)
    await blob.clearPages(0, 8 * MIB)
    const chunks: Buffer[] = []
    for await (const chunk of download.readableStreamBody!) chunks.push(Buffer.from(chunk))
    expect(Buffer.concat(chunks).equals(page(1, 16384))).toBe(true)
  })
})

describe('leases', () => {
  test('keep out writers without the id and leave readers alone', async () => {
    const lease = blob.getBlobLeaseClient()
    await lease.acquireLease(15)
    expect(await failure(blob.uploadPages(page(1), 0, 512))).toEqual({ statusCode: 412, code: 'LeaseIdMissing' })
    expect(
      await failure(blob.setMetadata({ a: 'b' }, { conditions: { leaseId: '11111111-1111-4111-8111-111111111111' } })),
    ).toEqual({ statusCode: 412, code: 'LeaseIdMismatchWithBlobOperation' })
    await blob.uploadPages(page(1), 0, 512, { conditions: { leaseId: lease.leaseId } })
    await blob.getPageRanges()
    await blob.createSnapshot()
    expect((await blob.getProperties()).leaseState).toBe('leased')
    await lease.releaseLease()
    await blob.uploadPages(page(1), 0, 512)
  })

  test('are broken without the id, and then cannot be renewed', async () => {
    const lease = blob.getBlobLeaseClient()
    await lease.acquireLease(-1)
    expect(await failure(blob.getBlobLeaseClient().acquireLease(30))).toEqual({
      statusCode: 409,
      code: 'LeaseAlreadyPresent',
    })
    expect((await blob.getBlobLeaseClient().breakLease(0)).leaseTime).toBe(0)
    expect(await failure(lease.renewLease())).toEqual({ statusCode: 409, code: 'LeaseIsBrokenAndCannotBeRenewed' })
    await blob.uploadPages(page(1), 0, 512)
  })

  test('last 15 to 60 seconds or for ever', async () => {
    expect(await failure(blob.getBlobLeaseClient().acquireLease(14))).toMatchObject({ statusCode: 400 })
    expect(await failure(blob.getBlobLeaseClient().acquireLease(61))).toMatchObject({ statusCode: 400 })
  })
})

describe('metadata', () => {
  test('is replaced as a whole, and its names are equal without regard to case', async () => {
    await blob.setMetadata({ epoch: '1', state: 'dirty' })
    await blob.setMetadata({ Epoch: '2' })
    expect((await blob.getProperties()).metadata).toEqual({ epoch: '2' })
  })

  test('has names that are identifiers', async () => {
    const answer = await azure.call('PUT', `${path}?comp=metadata`, { 'x-ms-meta-not-good': '1' })
    expect([answer.status, answer.code]).toEqual([400, 'InvalidMetadata'])
  })
})

test('answers echo the version and the client request id and name the request', async () => {
  const answer = await azure.send('HEAD', `/${ACCOUNT}/${path}${azure.sas}`, { 'x-ms-client-request-id': 'mine' })
  expect(answer.headers).toMatchObject({
    'x-ms-version': '2023-11-03',
    'x-ms-client-request-id': 'mine',
    'x-ms-blob-type': 'PageBlob',
  })
  expect(answer.headers['x-ms-request-id']).toMatch(/^[0-9a-f-]{36}$/)
})
