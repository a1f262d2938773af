import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { AnonymousCredential, PageBlobClient, newPipeline } from '@azure/storage-blob'
import type { FrozenVolume, Volume } from '../../simulator/store/volume.ts'
import type { PublishedExport } from '../../simulator/blob-service/published-blob.ts'
import { failure, NO_RETRIES, page, startBlobFixture, type BlobFixture } from './blob-fixture.ts'
import { parsePageList } from './blob-page-list.ts'

let azure: BlobFixture
let disk: Volume
let older: FrozenVolume
let newer: FrozenVolume
const FOOTER = Buffer.alloc(512, 'f')
const DISK_BYTES = 64 * 1024
let nowMs = Date.now()

beforeAll(async () => {
  azure = await startBlobFixture({ clock: () => new Date(nowMs) })
  disk = azure.store.createVolume(DISK_BYTES)
  await disk.write(0, page(1, 8))
  older = disk.freeze()
  await disk.write(1024, page(2))
  disk.clear(2048, 512)
  newer = disk.freeze()
  await azure.sdk.createContainer('base')
})
afterAll(() => azure.close())
beforeEach(() => {
  nowMs = Date.now()
})

const anExport = (content: FrozenVolume, second: number, more: Partial<PublishedExport> = {}): PublishedExport => ({
  kind: 'export',
  content,
  footer: FOOTER,
  familyId: 'family',
  uniqueId: `snapshot-${second}`,
  createdAt: new Date(Date.UTC(2026, 0, 1, 0, 0, second)),
  isPrivate: false,
  needsBearer: false,
  ...more,
})
const publish = (content: FrozenVolume, second: number, more?: Partial<PublishedExport>) =>
  azure.service.publisher.publish(anExport(content, second, more), 3600)
const clientOf = (url: string) => new PageBlobClient(url, newPipeline(new AnonymousCredential(), NO_RETRIES))
const pathOf = (url: string) => url.slice(azure.baseUrl.length)
const get = (url: string, headers: Record<string, string> = {}, suffix = '') =>
  azure.send('GET', `${pathOf(url)}${suffix}`, headers)
const baseBlob = async (name: string) => {
  const blob = azure.sdk.getContainerClient('base').getPageBlobClient(name)
  await blob.create(DISK_BYTES + 512)
  return blob
}

describe('an export', () => {
  test('is the content with the footer behind it', async () => {
    const client = clientOf(publish(newer, 2).sasUrl)
    expect((await client.getProperties()).contentLength).toBe(DISK_BYTES + 512)
    const bytes = await client.downloadToBuffer()
    expect(bytes.equals(Buffer.concat([await newer.read(0, DISK_BYTES), FOOTER]))).toBe(true)
    const across = await client.downloadToBuffer(DISK_BYTES - 10, 20)
    expect(across.subarray(10).equals(FOOTER.subarray(0, 10))).toBe(true)
  })

  test('lists the footer as a page', async () => {
    const { body } = await get(publish(older, 1).sasUrl, {}, '&comp=pagelist')
    expect(parsePageList(body.toString()).ranges).toEqual(['P 0-4095', 'P 65536-66047'])
  })

  test('carries snapshot, policy and signature, and needs each byte of them', async () => {
    const { sasUrl } = publish(newer, 2)
    const keys = [...new URL(sasUrl).searchParams.keys()]
    expect(keys).toEqual(['snapshot', 'sv', 'sr', 'si', 'sig'])
    for (const key of keys) {
      const broken = new URL(sasUrl)
      broken.searchParams.delete(key)
      const answer = await get(broken.href)
      expect([key, answer.status, answer.code]).toEqual([key, 403, 'AuthenticationFailed'])
    }
    const altered = await get(sasUrl.replace(/.(?=%3D$)/, (last) => (last === 'A' ? 'B' : 'A')))
    expect(altered.status).toBe(403)
  })

  test('ends with its withdrawal, and with its time', async () => {
    const withdrawn = publish(newer, 2)
    expect((await get(withdrawn.sasUrl)).status).toBe(200)
    withdrawn.withdraw()
    withdrawn.withdraw()
    expect((await get(withdrawn.sasUrl)).code).toBe('AuthenticationFailed')
    const short = publish(newer, 2)
    nowMs += 3600_000
    expect((await get(short.sasUrl)).code).toBe('AuthenticationFailed')
  })

  test('cannot be written', async () => {
    const answer = await azure.send('PUT', `${pathOf(publish(newer, 2).sasUrl)}&comp=page`, {
      'x-ms-page-write': 'clear',
      range: 'bytes=0-511',
    })
    expect([answer.status, answer.code]).toEqual([403, 'AuthorizationPermissionMismatch'])
  })

  test('knows no conditional headers', async () => {
    const answer = await get(publish(newer, 2).sasUrl, { 'if-match': '*' })
    expect([answer.status, answer.code]).toEqual([400, 'UnsupportedHeader'])
  })
})

describe('the difference of two exports', () => {
  const diff = (url: string, previous: string, headers: Record<string, string> = {}, suffix = '') =>
    get(url, { 'x-ms-previous-snapshot-url': previous, ...headers }, `&comp=pagelist${suffix}`)

  test('is answered by the URL of the older one and never reports the footer', async () => {
    const answer = await diff(publish(newer, 2).sasUrl, publish(older, 1).sasUrl)
    expect(parsePageList(answer.body.toString()).ranges).toEqual(['P 1024-1535', 'C 2048-2559'])
    expect(answer.headers['x-ms-blob-content-length']).toBe(String(DISK_BYTES + 512))
  })

  test('is paged', async () => {
    const [url, previous] = [publish(newer, 2).sasUrl, publish(older, 1).sasUrl]
    const first = parsePageList((await diff(url, previous, {}, '&maxresults=1')).body.toString())
    const second = parsePageList(
      (await diff(url, previous, {}, `&maxresults=1&marker=${first.nextMarker}`)).body.toString(),
    )
    expect([first.ranges, second.ranges, second.nextMarker]).toEqual([['P 1024-1535'], ['C 2048-2559'], ''])
  })

  test('is what the SDK gets', async () => {
    const client = clientOf(publish(newer, 2).sasUrl)
    const answer = await client.getPageRangesDiffForManagedDisks(0, DISK_BYTES, publish(older, 1).sasUrl)
    expect([answer.pageRange?.[0]?.offset, answer.clearRange?.[0]?.offset]).toEqual([1024, 2048])
  })

  test('is refused over families, backwards, and without rights to the older one', async () => {
    const url = publish(newer, 2).sasUrl
    const foreign = await diff(url, publish(older, 1, { familyId: 'other' }).sasUrl)
    expect([foreign.status, foreign.code]).toEqual([409, 'PreviousSnapshotOperationNotSupported'])
    const backwards = await diff(publish(older, 1).sasUrl, url)
    expect([backwards.status, backwards.code]).toEqual([400, 'PreviousSnapshotCannotBeNewer'])
    const revoked = publish(older, 1)
    revoked.withdraw()
    expect((await diff(url, revoked.sasUrl)).code).toBe('AuthenticationFailed')
  })

  test('needs version 2019-07-07', async () => {
    const answer = await diff(publish(newer, 2).sasUrl, publish(older, 1).sasUrl, { 'x-ms-version': '2019-02-02' })
    expect([answer.status, answer.code]).toEqual([400, 'UnsupportedHeader'])
  })
})

describe('a server-side copy from an export', () => {
  test('moves pages into a base blob', async () => {
    const base = await baseBlob('copied')
    const { sasUrl } = publish(newer, 2)
    await base.uploadPagesFromURL(sasUrl, 0, 0, 4096)
    await base.uploadPagesFromURL(sasUrl, DISK_BYTES, DISK_BYTES, 512)
    expect((await base.downloadToBuffer(0, 4096)).equals(await newer.read(0, 4096))).toBe(true)
    expect((await base.downloadToBuffer(DISK_BYTES, 512)).equals(FOOTER)).toBe(true)
  })

  test('as a whole blob keeps the footer and the pages', async () => {
    const copy = azure.sdk.getContainerClient('base').getPageBlobClient('whole')
    await (await copy.beginCopyFromURL(publish(older, 1).sasUrl)).pollUntilDone()
    const ranges = await copy.getPageRanges()
    expect(ranges.pageRange?.map((range) => range.offset)).toEqual([0, DISK_BYTES])
  })

  test('is refused when access is private, while reading works', async () => {
    const base = await baseBlob('private')
    const { sasUrl } = publish(newer, 2, { isPrivate: true })
    const refused = { statusCode: 409, code: 'CopySourceCannotBeIncrementalCopyBlob' }
    expect(await failure(base.uploadPagesFromURL(sasUrl, 0, 0, 512))).toEqual(refused)
    expect((await get(sasUrl)).status).toBe(200)
  })

  test('tells the cause when the SAS is gone', async () => {
    await baseBlob('gone')
    const { sasUrl, withdraw } = publish(newer, 2)
    withdraw()
    const answer = await azure.call('PUT', 'base/gone?comp=page', {
      'x-ms-page-write': 'update',
      range: 'bytes=0-511',
      'x-ms-source-range': 'bytes=0-511',
      'x-ms-copy-source': sasUrl,
    })
    expect([answer.status, answer.code]).toEqual([403, 'CannotVerifyCopySource'])
    expect(answer.headers).toMatchObject({
      'x-ms-copy-source-status-code': '403',
      'x-ms-copy-source-error-code': 'AuthenticationFailed',
    })
  })

  test('takes no condition on the source', async () => {
    const base = await baseBlob('conditions')
    const copy = base.uploadPagesFromURL(publish(newer, 2).sasUrl, 0, 0, 512, { sourceConditions: { ifMatch: '*' } })
    expect(await failure(copy)).toEqual({ statusCode: 400, code: 'UnsupportedHeader' })
  })

  test('cannot be an incremental copy', async () => {
    const base = azure.sdk.getContainerClient('base').getPageBlobClient('incremental')
    expect(await failure(base.startCopyIncremental(publish(newer, 2).sasUrl))).toMatchObject({ statusCode: 409 })
  })
})

describe('an upload', () => {
  const publishUpload = () => {
    const volume = azure.store.createVolume(DISK_BYTES + 512)
    const publication = azure.service.publisher.publish(
      { kind: 'upload', volume, uniqueId: 'u', needsBearer: false },
      600,
    )
    return { volume, ...publication }
  }

  test('takes pages, clears and server-side copies', async () => {
    const { volume, sasUrl } = publishUpload()
    const client = clientOf(sasUrl)
    await client.uploadPages(page(5, 2), 0, 1024)
    await client.clearPages(512, 512)
    await client.uploadPagesFromURL(publish(newer, 2).sasUrl, DISK_BYTES, DISK_BYTES, 512)
    expect((await volume.read(0, 1024)).equals(Buffer.concat([page(5), page(0)]))).toBe(true)
    expect((await volume.read(DISK_BYTES, 512)).equals(FOOTER)).toBe(true)
    expect((await client.getPageRanges()).pageRange?.length).toBe(2)
  })

  test('is not created again, takes no Content-MD5 and is not resized', async () => {
    const client = clientOf(publishUpload().sasUrl)
    expect(await failure(client.create(1024))).toMatchObject({ statusCode: 403 })
    expect(await failure(client.resize(1024))).toMatchObject({ statusCode: 403 })
    const md5 = { transactionalContentMD5: new Uint8Array(16) }
    expect(await failure(client.uploadPages(page(1), 0, 512, md5))).toEqual({
      statusCode: 400,
      code: 'UnsupportedHeader',
    })
  })
})
