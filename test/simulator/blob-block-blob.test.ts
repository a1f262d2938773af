import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ContainerClient } from '@azure/storage-blob'
import { failure, startBlobFixture, type BlobFixture } from './blob-fixture.ts'

let azure: BlobFixture
let container: ContainerClient

beforeAll(async () => {
  azure = await startBlobFixture()
  container = azure.sdk.getContainerClient('manifests')
  await container.create()
})
afterAll(() => azure.close())

const text = async (name: string) => (await container.getBlobClient(name).downloadToBuffer()).toString()

describe('a block blob', () => {
  test('keeps its bytes, headers and metadata', async () => {
    const blob = container.getBlockBlobClient('point.json')
    await blob.upload('{"a":1}', 7, {
      blobHTTPHeaders: { blobContentType: 'application/json' },
      metadata: { run: 'r1' },
    })
    const answer = await blob.download()
    expect([answer.contentType, answer.metadata, answer.blobType]).toEqual([
      'application/json',
      { run: 'r1' },
      'BlockBlob',
    ])
    expect(await text('point.json')).toBe('{"a":1}')
    expect((await blob.downloadToBuffer(2, 3)).toString()).toBe('a":')
  })

  test('is created only once when If-None-Match says so', async () => {
    const blob = container.getBlockBlobClient('once')
    await blob.upload('1', 1, { conditions: { ifNoneMatch: '*' } })
    expect(await failure(blob.upload('2', 1, { conditions: { ifNoneMatch: '*' } }))).toEqual({
      statusCode: 409,
      code: 'BlobAlreadyExists',
    })
    expect(await text('once')).toBe('1')
  })

  test('is replaced only from the ETag that was read', async () => {
    const blob = container.getBlockBlobClient('guarded')
    const { etag } = await blob.upload('1', 1)
    await blob.upload('2', 1, { conditions: { ifMatch: etag! } })
    expect(await failure(blob.upload('3', 1, { conditions: { ifMatch: etag! } }))).toEqual({
      statusCode: 412,
      code: 'ConditionNotMet',
    })
  })

  test('larger than a piece is stored whole', async () => {
    const data = randomBytes(9_000_001)
    const blob = container.getBlockBlobClient('large')
    await blob.upload(data, data.length)
    expect((await blob.downloadToBuffer()).equals(data)).toBe(true)
  })

  test('is put together from blocks in the order of the list', async () => {
    const blob = container.getBlockBlobClient('blocks')
    const ids = ['a', 'b', 'c'].map((id) => Buffer.from(id).toString('base64'))
    for (const [index, id] of ids.entries()) await blob.stageBlock(id, String(index).repeat(3), 3)
    expect(await blob.exists()).toBe(false)
    await blob.commitBlockList([ids[2]!, ids[0]!])
    expect(await text('blocks')).toBe('222000')
    expect(await failure(blob.commitBlockList([ids[1]!]))).toEqual({ statusCode: 400, code: 'InvalidBlockList' })
    expect((await blob.getBlockList('committed')).committedBlocks?.map(({ size }) => size)).toEqual([3, 3])
  })

  test('of zero bytes is a blob', async () => {
    const blob = container.getBlockBlobClient('empty')
    await blob.upload('', 0)
    expect((await blob.getProperties()).contentLength).toBe(0)
    expect((await blob.downloadToBuffer()).length).toBe(0)
  })

  test('is refused with a wrong checksum', async () => {
    const answer = await azure.call(
      'PUT',
      'manifests/bad',
      { 'x-ms-blob-type': 'BlockBlob', 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' },
      'text',
    )
    expect([answer.status, answer.code]).toEqual([400, 'Md5Mismatch'])
  })
})

describe('a list', () => {
  test('is in the order of names, snapshots before their base, and pages without loss', async () => {
    const other = azure.sdk.getContainerClient('listed')
    await other.create()
    for (const name of ['b', 'a/2', 'a/1', 'c'])
      await other.getBlockBlobClient(name).upload('x', 1, { metadata: { name: name.replace('/', '') } })
    await other.getBlobClient('b').createSnapshot()
    await other.getBlobClient('b').createSnapshot({ metadata: { sealed: 'yes' } })
    const found: string[] = []
    for await (const page of other
      .listBlobsFlat({ includeSnapshots: true, includeMetadata: true })
      .byPage({ maxPageSize: 2 })) {
      found.push(
        ...page.segment.blobItems.map(
          (item) => `${item.name} ${item.snapshot ? 'snapshot' : 'base'} ${JSON.stringify(item.metadata)}`,
        ),
      )
      expect(page.segment.blobItems.length).toBeLessThanOrEqual(2)
    }
    expect(found).toEqual([
      'a/1 base {"name":"a1"}',
      'a/2 base {"name":"a2"}',
      'b snapshot {"name":"b"}',
      'b snapshot {"sealed":"yes"}',
      'b base {"name":"b"}',
      'c base {"name":"c"}',
    ])
    const tree: string[] = []
    for await (const item of other.listBlobsByHierarchy('/')) tree.push(`${item.kind} ${item.name}`)
    expect(tree).toEqual(['prefix a/', 'blob b', 'blob c'])
    const inside: string[] = []
    for await (const item of other.listBlobsByHierarchy('/', { prefix: 'a/' })) inside.push(item.name)
    expect(inside).toEqual(['a/1', 'a/2'])
  })

  test('escapes what XML cannot hold', async () => {
    const other = azure.sdk.getContainerClient('escaped')
    await other.create()
    await other.getBlockBlobClient('a & <b> "c" é').upload('x', 1)
    const names: string[] = []
    for await (const item of other.listBlobsFlat()) names.push(item.name)
    expect(names).toEqual(['a & <b> "c" é'])
    expect(await other.getBlobClient('a & <b> "c" é').exists()).toBe(true)
  })

  test('of containers goes by prefix', async () => {
    const names: string[] = []
    for await (const { name } of azure.sdk.listContainers({ prefix: 'man' })) names.push(name)
    expect(names).toEqual(['manifests'])
  })
})

describe('a container', () => {
  test('is made once, has metadata, and is gone with its blobs', async () => {
    const other = azure.sdk.getContainerClient('short-lived')
    await other.create({ metadata: { a: '1' } })
    expect(await failure(other.create())).toEqual({ statusCode: 409, code: 'ContainerAlreadyExists' })
    await other.setMetadata({ b: '2' })
    expect((await other.getProperties()).metadata).toEqual({ b: '2' })
    await other.delete()
    expect(await failure(other.getBlobClient('x').getProperties())).toMatchObject({ statusCode: 404 })
    expect(await failure(azure.sdk.getContainerClient('No').create())).toEqual({
      statusCode: 400,
      code: 'InvalidResourceName',
    })
  })
})

test('an account tells its kind at every level', async () => {
  expect(await azure.sdk.getAccountInfo()).toMatchObject({
    accountKind: 'StorageV2',
    skuName: 'Standard_LRS',
    isHierarchicalNamespaceEnabled: false,
  })
  expect((await azure.call('GET', 'manifests?restype=account&comp=properties')).headers['x-ms-account-kind']).toBe(
    'StorageV2',
  )
  expect(await azure.sdk.getProperties()).toMatchObject({ deleteRetentionPolicy: { enabled: false } })
})

test('what is not offered is 501 and named', async () => {
  const answer = await azure.call('PUT', 'manifests/point.json?comp=tags', {}, '')
  expect([answer.status, answer.code]).toEqual([501, 'NotImplemented'])
  expect(answer.body.toString()).toContain('comp=tags')
})
