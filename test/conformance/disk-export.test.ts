/** Export of snapshots by SAS: bytes, differences, copies out of them, and the rules of access (azure-compute-docs, REST). */
import { expect, test } from '@jest/globals'
import { closedRange, pages, parsePageList } from './support/blobs.ts'
import { conformance } from './support/conformance.ts'
import { VHD_FOOTER_BYTES } from './support/disks.ts'
import type { Answer } from './support/rest.ts'

const GIB = 2 ** 30

conformance('disk export', (ground, isLocal) => {
  const read = (url: string, headers: Record<string, string> = {}, query = ''): Promise<Answer> =>
    ground().blobs.callUrl('GET', `${url}${query}`, { authorization: 'none', headers })

  test('is a fixed VHD: the bytes of the disk and a footer', async () => {
    const { disks } = ground()
    const disk = await disks.createEmptyDisk()
    const snapshot = await disks.createSnapshot(disk.id)
    const url = await disks.grant(snapshot.id)
    const footer = await read(url, { range: closedRange(GIB, VHD_FOOTER_BYTES) })
    expect(footer).toMatchObject({ status: 206, headers: { 'content-range': `bytes ${GIB}-${GIB + 511}/${GIB + 512}` } })
    expect(footer.body.subarray(0, 8).toString('latin1')).toBe('conectix')
    expect(footer.body.readBigUInt64BE(48)).toBe(BigInt(GIB))
    expect(footer.body.readUInt32BE(60)).toBe(2)
  })

  test('has the page ranges of the snapshot, and one differing snapshot is named by header alone', async () => {
    const { disks } = ground()
    const disk = await disks.createEmptyDisk()
    const [older, newer] = [await disks.createSnapshot(disk.id), await disks.createSnapshot(disk.id)]
    const [olderUrl, newerUrl] = [await disks.grant(older.id), await disks.grant(newer.id)]
    const list = await read(newerUrl, {}, '&comp=pagelist')
    expect(list).toMatchObject({ status: 200, headers: { 'x-ms-blob-content-length': String(GIB + 512) } })
    const diff = await read(newerUrl, { 'x-ms-previous-snapshot-url': olderUrl }, '&comp=pagelist')
    expect(diff.status).toBe(200)
    expect(parsePageList(diff).ranges.filter((range) => range.startsWith('C'))).toEqual([])
    expect((await read(newerUrl, {}, `&comp=pagelist&prevsnapshot=${encodeURIComponent(olderUrl)}`)).status).toBe(400)
  })

  test('copies by Put Page From URL into a blob of another region', async () => {
    const { disks, blobs } = ground()
    const disk = await disks.createEmptyDisk()
    const url = await disks.grant((await disks.createSnapshot(disk.id)).id)
    const name = await blobs.createPageBlob(1024)
    const answer = await blobs.call('PUT', `${name}?comp=page`, {
      'x-ms-page-write': 'update',
      'x-ms-copy-source': url,
      'x-ms-range': closedRange(512, 512),
      'x-ms-source-range': closedRange(GIB, VHD_FOOTER_BYTES),
    })
    expect(answer.status).toBe(201)
    const { body } = await blobs.call('GET', name, { range: closedRange(512, 512) })
    expect(body.subarray(0, 8).toString('latin1')).toBe('conectix')
  })

  test('is read-only, and needs its URL whole', async () => {
    const { disks, blobs } = ground()
    const disk = await disks.createEmptyDisk()
    const url = await disks.grant((await disks.createSnapshot(disk.id)).id)
    const write = { 'x-ms-page-write': 'update', range: closedRange(0, 512) }
    const written = await blobs.callUrl('PUT', `${url}&comp=page`, { authorization: 'none', headers: write, body: pages(1) })
    expect(written.status).toBe(403)
    if (url.includes('snapshot=')) {
      const bare = url.replace(/snapshot=[^&]*&/, '')
      expect(await read(bare)).toMatchObject({ status: 403, code: 'AuthenticationFailed' })
    }
    expect((await read(url.replace(/sig=[^&]*/, 'sig=AAAA'))).status).toBe(403)
  })

  test('shows as ActiveSAS, ends with endGetAccess, and may be ended twice', async () => {
    const { disks } = ground()
    const disk = await disks.createEmptyDisk()
    const { id } = await disks.createSnapshot(disk.id)
    const url = await disks.grant(id)
    expect((await disks.get(id)).properties.diskState).toBe('ActiveSAS')
    await disks.revoke(id)
    await disks.revoke(id)
    expect((await disks.get(id)).properties.diskState).toBe('Unattached')
    expect((await read(url, { range: closedRange(0, 512) })).status).toBe(403)
  })

  test('lasts 60 days at most', async () => {
    const { disks } = ground()
    const { id } = await disks.createSnapshot((await disks.createEmptyDisk()).id)
    const grant = (durationInSeconds: number) => disks.arm('POST', `${id}/beginGetAccess`, { access: 'Read', durationInSeconds })
    expect((await grant(5_184_001)).status).toBe(400)
    await disks.settle(await grant(5_184_000))
  })

  test('is for five snapshots of a family at once', async () => {
    const { disks } = ground()
    const disk = await disks.createEmptyDisk()
    const ids: string[] = []
    for (let index = 0; index < 6; index++) ids.push((await disks.createSnapshot(disk.id)).id)
    for (const id of ids.slice(0, 5)) await disks.grant(id)
    await expect(disks.grant(ids[5] ?? '')).rejects.toThrow()
    await disks.revoke(ids[0] ?? '')
    expect(await disks.grant(ids[5] ?? '')).toMatch(/^https:/)
  })

  test('of a snapshot that allows no network access is refused', async () => {
    const { disks } = ground()
    const disk = await disks.createEmptyDisk()
    const { id } = await disks.createSnapshot(disk.id)
    await disks.settle(await disks.arm('PATCH', id, { properties: { networkAccessPolicy: 'DenyAll' } }))
    await expect(disks.grant(id)).rejects.toThrow()
  })

  // On Azure only a virtual machine writes to a disk.
  const testWithMachine = isLocal ? test : test.skip
  testWithMachine('tells what a machine wrote and discarded between two snapshots', async () => {
    const { disks, place } = ground()
    const disk = await disks.createEmptyDisk()
    await place.writeDisk?.(disk.id, 65_536, pages(1, 16))
    const older = await disks.createSnapshot(disk.id)
    await place.writeDisk?.(disk.id, 131_072, pages(2, 8))
    await place.clearDisk?.(disk.id, 65_536, 4096)
    const newer = await disks.createSnapshot(disk.id)
    const [olderUrl, newerUrl] = [await disks.grant(older.id), await disks.grant(newer.id)]
    const diff = parsePageList(await read(newerUrl, { 'x-ms-previous-snapshot-url': olderUrl }, '&comp=pagelist'))
    const inContent = diff.ranges.filter((range) => Number(/\d+/.exec(range)?.[0]) < GIB)
    expect(inContent).toEqual(['C 65536-69631', 'P 131072-135167'])
    expect((await read(newerUrl, { range: closedRange(131_072, 4096) })).body.equals(pages(2, 8))).toBe(true)
    expect((await read(olderUrl, { range: closedRange(65_536, 8192) })).body.equals(pages(1, 16))).toBe(true)
  })

  test('between disks of different families has no difference', async () => {
    const { disks } = ground()
    const mine = await disks.createSnapshot((await disks.createEmptyDisk()).id)
    const other = await disks.createSnapshot((await disks.createEmptyDisk()).id)
    const [mineUrl, otherUrl] = [await disks.grant(mine.id), await disks.grant(other.id)]
    const diff = await read(mineUrl, { 'x-ms-previous-snapshot-url': otherUrl }, '&comp=pagelist')
    // Which code is not documented.
    expect(diff.status).toBeGreaterThanOrEqual(400)
    expect(diff.status).toBeLessThan(500)
  })
})
