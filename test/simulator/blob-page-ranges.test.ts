import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { ContainerClient, PageBlobClient } from '@azure/storage-blob'
import { failure, page, startBlobFixture, type BlobFixture } from './blob-fixture.ts'
import { parsePageList } from './blob-page-list.ts'

let azure: BlobFixture
let container: ContainerClient
let blob: PageBlobClient
let path: string
let count = 0

beforeAll(async () => {
  azure = await startBlobFixture({ limits: { maxPageListRanges: 100 } })
  container = azure.sdk.getContainerClient('ranges')
  await container.create()
})
afterAll(() => azure.close())
beforeEach(async () => {
  count += 1
  blob = container.getPageBlobClient(`disk-${count}`)
  path = `ranges/disk-${count}`
  await blob.create(2 ** 20)
})

const write = (pageIndex: number, pages = 1) => blob.uploadPages(page(7, pages), pageIndex * 512, pages * 512)
const clear = (pageIndex: number, pages = 1) => blob.clearPages(pageIndex * 512, pages * 512)
const list = async (query = '', headers: Record<string, string> = {}) => {
  const answer = await azure.call('GET', `${path}?comp=pagelist${query}`, headers)
  return { ...answer, ...parsePageList(answer.body.toString()) }
}
const snapshot = async () => (await blob.createSnapshot()).snapshot!

describe('the list of page ranges', () => {
  test('has inclusive ends and merges adjacent pages', async () => {
    await write(2)
    await write(3)
    await write(9)
    const { ranges, headers } = await list()
    expect(ranges).toEqual(['P 1024-2047', 'P 4608-5119'])
    expect(headers['x-ms-blob-content-length']).toBe(String(2 ** 20))
  })

  test('stops at the limit of the service also when no limit is asked for', async () => {
    for (let index = 0; index < 101; index += 1) await write(index * 2)
    const first = await list()
    expect(first.ranges).toHaveLength(100)
    const rest = await list(`&marker=${first.nextMarker}`)
    expect([rest.ranges, rest.nextMarker]).toEqual([['P 102400-102911'], ''])
  })

  test('follows markers without loss or repetition', async () => {
    for (let index = 0; index < 10; index += 1) await write(index * 3, 2)
    const seen: string[] = []
    let marker = ''
    do {
      const answer = await list(`&maxresults=3${marker === '' ? '' : `&marker=${marker}`}`)
      seen.push(...answer.ranges)
      marker = answer.nextMarker
    } while (marker !== '')
    expect(seen).toEqual((await list()).ranges)
    expect(seen).toHaveLength(10)
  })

  test('knows neither marker nor maxresults before 2020-10-02, and then gives all at once', async () => {
    for (let index = 0; index < 101; index += 1) await write(index * 2)
    const old = { 'x-ms-version': '2020-08-04' }
    expect((await list('&maxresults=5', old)).code).toBe('UnsupportedQueryParameter')
    expect((await list('', old)).ranges).toHaveLength(101)
  })

  test('refuses a limit of zero and a foreign marker', async () => {
    expect((await list('&maxresults=0')).status).toBe(400)
    expect((await list('&marker=anything')).code).toBe('InvalidQueryParameterValue')
  })

  test('is clipped to a window of bytes', async () => {
    await write(0, 100)
    expect((await list('', { 'x-ms-range': 'bytes=1024-2047' })).ranges).toEqual(['P 1024-2047'])
  })

  test('is paged by the SDK as well', async () => {
    for (let index = 0; index < 250; index += 1) await write(index * 2)
    const found: number[] = []
    for await (const range of blob.listPageRanges()) found.push(range.start)
    expect(found).toEqual(Array.from({ length: 250 }, (_, index) => index * 1024))
  })
})

describe('the difference to a snapshot', () => {
  test('interleaves written and cleared ranges in the order of addresses', async () => {
    await write(0, 10)
    const before = await snapshot()
    await write(1)
    await clear(3, 2)
    await write(6)
    expect((await list(`&prevsnapshot=${before}`)).ranges).toEqual(['P 512-1023', 'C 1536-2559', 'P 3072-3583'])
  })

  test('reports a page rewritten with identical bytes as changed', async () => {
    await write(4)
    const before = await snapshot()
    await write(4)
    expect((await list(`&prevsnapshot=${before}`)).ranges).toEqual(['P 2048-2559'])
  })

  test('between two snapshots leaves out what came later', async () => {
    const first = await snapshot()
    await write(1)
    const second = await snapshot()
    await write(5)
    expect((await list(`&snapshot=${second}&prevsnapshot=${first}`)).ranges).toEqual(['P 512-1023'])
  })

  test('goes on over a resize and over changed metadata', async () => {
    const before = await snapshot()
    await blob.resize(2 ** 21)
    await blob.setMetadata({ epoch: '2' })
    await blob.uploadPages(page(1), 2 ** 20, 512)
    expect((await list(`&prevsnapshot=${before}`)).ranges).toEqual(['P 1048576-1049087'])
  })

  test('is paged like the whole list', async () => {
    const before = await snapshot()
    for (let index = 0; index < 7; index += 1) await write(index * 2)
    const first = await list(`&prevsnapshot=${before}&maxresults=4`)
    const rest = await list(`&prevsnapshot=${before}&maxresults=4&marker=${first.nextMarker}`)
    expect([first.ranges.length, rest.ranges.length, rest.nextMarker]).toEqual([4, 3, ''])
  })

  test('is refused once the blob was made anew', async () => {
    const before = await snapshot()
    await blob.create(2 ** 20)
    const { status, code } = await list(`&prevsnapshot=${before}`)
    expect([status, code]).toEqual([409, 'BlobOverwritten'])
  })

  test('is refused once a snapshot was promoted over its base, but not between two older snapshots', async () => {
    const first = await snapshot()
    await write(1)
    const second = await snapshot()
    await blob.syncCopyFromURL(blob.withSnapshot(first).url)
    expect((await list(`&prevsnapshot=${first}`)).code).toBe('BlobOverwritten')
    expect((await list(`&snapshot=${second}&prevsnapshot=${first}`)).ranges).toEqual(['P 512-1023'])
  })

  test('is refused for an earlier snapshot that is gone, newer or no snapshot time', async () => {
    const first = await snapshot()
    const second = await snapshot()
    const newer = await list(`&snapshot=${first}&prevsnapshot=${second}`)
    expect([newer.status, newer.code]).toEqual([400, 'PreviousSnapshotCannotBeNewer'])
    await blob.withSnapshot(first).delete()
    const gone = await list(`&prevsnapshot=${first}`)
    expect([gone.status, gone.code]).toEqual([409, 'PreviousSnapshotNotFound'])
    const url = await list(`&prevsnapshot=${encodeURIComponent(blob.url)}`)
    expect([url.status, url.code]).toEqual([400, 'InvalidQueryParameterValue'])
  })

  test('by the URL of a snapshot is for managed disks only', async () => {
    const before = await snapshot()
    const answer = await list('', { 'x-ms-previous-snapshot-url': `${blob.url}?snapshot=${before}` })
    expect([answer.status, answer.code]).toEqual([400, 'UnsupportedHeaderForNonManagedDisksAccount'])
  })
})

describe('a snapshot', () => {
  test('has a time of seven digits that is later than every one before', async () => {
    const times = [await snapshot(), await snapshot(), await snapshot()]
    for (const time of times) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/)
    expect([...times].sort()).toEqual(times)
    expect(new Set(times).size).toBe(3)
  })

  test('copies the metadata of its base unless it is given its own', async () => {
    await blob.setMetadata({ run: '1' })
    const plain = await blob.createSnapshot()
    const named = await blob.createSnapshot({ metadata: { seal: '2' } })
    const { etag } = await blob.getProperties()
    expect((await blob.withSnapshot(plain.snapshot!).getProperties()).metadata).toEqual({ run: '1' })
    expect((await blob.withSnapshot(named.snapshot!).getProperties()).metadata).toEqual({ seal: '2' })
    expect([plain.etag === etag, named.etag === etag]).toEqual([true, false])
  })

  test('is made only while a condition on the base holds', async () => {
    const { etag } = await blob.getProperties()
    await write(1)
    expect(await failure(blob.createSnapshot({ conditions: { ifMatch: etag! } }))).toEqual({
      statusCode: 412,
      code: 'ConditionNotMet',
    })
  })

  test('keeps its base from deletion unless that includes it', async () => {
    const time = await snapshot()
    expect(await failure(blob.delete())).toEqual({ statusCode: 409, code: 'SnapshotsPresent' })
    await blob.delete({ deleteSnapshots: 'only' })
    expect(await failure(blob.withSnapshot(time).getProperties())).toMatchObject({ statusCode: 404 })
    await snapshot()
    await blob.delete({ deleteSnapshots: 'include' })
    expect(await blob.exists()).toBe(false)
  })

  test('cannot be written', async () => {
    const time = await snapshot()
    expect(await failure(blob.withSnapshot(time).uploadPages(page(1), 0, 512))).toMatchObject({ statusCode: 400 })
  })

  test('is copied into a writable blob with the same pages', async () => {
    await write(3, 2)
    const time = await snapshot()
    await write(3)
    const copy = container.getPageBlobClient(`copy-${count}`)
    const poller = await copy.beginCopyFromURL(blob.withSnapshot(time).url)
    expect((await poller.pollUntilDone()).copyStatus).toBe('success')
    await copy.uploadPages(page(9), 0, 512)
    const found: number[] = []
    for await (const range of copy.listPageRanges()) found.push(range.start, range.end)
    expect(found).toEqual([0, 511, 1536, 2559])
  })
})
