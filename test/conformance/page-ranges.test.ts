/** Get Page Ranges, whole, paged, by windows and as a difference between snapshots (REST: get-page-ranges). */
import { expect, test } from '@jest/globals'
import { pages, parsePageList, type Blobs } from './support/blobs.ts'
import { conformance } from './support/conformance.ts'

/** Pages 1, 3, 5, … of a blob of 16 pages. */
const SCATTERED = ['P 512-1023', 'P 1536-2047', 'P 2560-3071', 'P 3584-4095']

async function createScattered(blobs: Blobs): Promise<string> {
  const name = await blobs.createPageBlob(8192)
  for (const index of [1, 3, 5, 7]) await blobs.putPages(name, 512 * index, pages(index))
  return name
}

conformance('page ranges', (ground) => {
  test('are sorted, do not overlap and end inclusively', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    expect(await blobs.pageList(name)).toEqual(SCATTERED)
    await blobs.putPages(name, 1024, pages(2))
    expect(await blobs.pageList(name)).toEqual(['P 512-2047', ...SCATTERED.slice(2)])
  })

  test('a page of zeros that was written counts, a cleared one does not', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(2048)
    await blobs.putPages(name, 0, pages(0, 4))
    await blobs.clearPages(name, 512, 512)
    expect(await blobs.pageList(name)).toEqual(['P 0-511', 'P 1024-2047'])
  })

  test('a window of bytes limits the answer', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    expect(await blobs.pageList(name, '', { 'x-ms-range': 'bytes=1024-3071' })).toEqual(SCATTERED.slice(1, 3))
  })

  test('the answer tells the size of the blob', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    const { headers } = await blobs.call('GET', `${name}?comp=pagelist`)
    expect(headers['x-ms-blob-content-length']).toBe('8192')
  })

  test('pages of an answer, by maxresults and marker, join to the whole', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    const joined: string[] = []
    for (let marker = '', first = true; first || marker !== ''; first = false) {
      const answer = await blobs.call('GET', `${name}?comp=pagelist&maxresults=1${marker === '' ? '' : `&marker=${encodeURIComponent(marker)}`}`)
      const { ranges, nextMarker } = parsePageList(answer)
      expect(ranges.length).toBeLessThanOrEqual(1)
      joined.push(...ranges)
      marker = nextMarker
    }
    expect(joined).toEqual(SCATTERED)
  })

  test('maxresults below 1 is refused', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    expect(await blobs.call('GET', `${name}?comp=pagelist&maxresults=0`)).toMatchObject({ status: 400 })
  })

  test('of a snapshot do not change with the blob', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    const snapshot = await blobs.snapshot(name)
    await blobs.clearPages(name, 0, 8192)
    expect(await blobs.pageList(name, `snapshot=${snapshot}`)).toEqual(SCATTERED)
  })
})

conformance('differences of page ranges', (ground) => {
  test('tell written and cleared ranges apart, sorted together', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    const previous = await blobs.snapshot(name)
    await blobs.putPages(name, 0, pages(8))
    await blobs.clearPages(name, 1536, 512)
    await blobs.putPages(name, 4096, pages(9))
    expect(await blobs.pageList(name, `prevsnapshot=${previous}`)).toEqual(['P 0-511', 'C 1536-2047', 'P 4096-4607'])
  })

  test('a page rewritten with the same bytes is a change', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    const previous = await blobs.snapshot(name)
    await blobs.putPages(name, 512, pages(1))
    expect(await blobs.pageList(name, `prevsnapshot=${previous}`)).toEqual(['P 512-1023'])
  })

  test('between two snapshots leave out what came after the newer one', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    const older = await blobs.snapshot(name)
    await blobs.putPages(name, 4096, pages(1))
    const newer = await blobs.snapshot(name)
    await blobs.putPages(name, 5120, pages(2))
    expect(await blobs.pageList(name, `snapshot=${newer}&prevsnapshot=${older}`)).toEqual(['P 4096-4607'])
  })

  test('are paged and windowed as the whole list is', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    const previous = await blobs.snapshot(name)
    for (const offsetBytes of [0, 2048, 6144]) await blobs.putPages(name, offsetBytes, pages(4))
    const first = parsePageList(await blobs.call('GET', `${name}?comp=pagelist&prevsnapshot=${previous}&maxresults=2`))
    expect(first.ranges).toEqual(['P 0-511', 'P 2048-2559'])
    const rest = `prevsnapshot=${previous}&marker=${encodeURIComponent(first.nextMarker)}`
    expect(await blobs.pageList(name, rest)).toEqual(['P 6144-6655'])
    expect(await blobs.pageList(name, `prevsnapshot=${previous}`, { range: 'bytes=1024-4095' })).toEqual(['P 2048-2559'])
  })

  test('growth alone is no change', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    const previous = await blobs.snapshot(name)
    await blobs.call('PUT', `${name}?comp=properties`, { 'x-ms-blob-content-length': '16384' })
    expect(await blobs.pageList(name, `prevsnapshot=${previous}`)).toEqual([])
  })

  test('to a snapshot that is gone, newer, or of a blob overwritten since are refused by name', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    const older = await blobs.snapshot(name)
    const newer = await blobs.snapshot(name)
    const diff = (query: string) => blobs.call('GET', `${name}?comp=pagelist&${query}`)
    expect(await diff(`snapshot=${older}&prevsnapshot=${newer}`)).toMatchObject({ status: 400, code: 'PreviousSnapshotCannotBeNewer' })

    expect(await blobs.call('DELETE', `${name}?snapshot=${older}`)).toMatchObject({ status: 202 })
    expect(await diff(`prevsnapshot=${older}`)).toMatchObject({ status: 409, code: 'PreviousSnapshotNotFound' })

    await blobs.call('PUT', name, { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': '8192' })
    expect(await diff(`prevsnapshot=${newer}`)).toMatchObject({ status: 409, code: 'BlobOverwritten' })
  })

  test('against a URL are for managed disks: refused by header and by query', async () => {
    const { blobs } = ground()
    const name = await createScattered(blobs)
    const url = `${blobs.containerUrl}/${name}?snapshot=${encodeURIComponent(await blobs.snapshot(name))}`
    const byHeader = await blobs.call('GET', `${name}?comp=pagelist`, { 'x-ms-previous-snapshot-url': url })
    expect(byHeader).toMatchObject({ status: 400, code: 'UnsupportedHeaderForNonManagedDisksAccount' })
    const byQuery = await blobs.call('GET', `${name}?comp=pagelist&prevsnapshot=${encodeURIComponent(url)}`)
    expect(byQuery).toMatchObject({ status: 400, code: 'InvalidQueryParameterValue' })
  })
})
