/** Snapshot Blob, Copy Blob from a snapshot, and deletion (REST: snapshot-blob, copy-blob, delete-blob). */
import { expect, test } from '@jest/globals'
import { pages } from './support/blobs.ts'
import { conformance } from './support/conformance.ts'

conformance('blob snapshots', (ground) => {
  test('each call makes another one, later than the one before', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    const first = await blobs.snapshot(name)
    const second = await blobs.snapshot(name)
    expect(first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/)
    expect(second > first).toBe(true)
  })

  test('keep the bytes, the size and the number of their moment', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(1024)
    await blobs.putPages(name, 0, pages(1, 2))
    const snapshot = await blobs.snapshot(name)
    await blobs.putPages(name, 0, pages(2))
    await blobs.call('PUT', `${name}?comp=properties`, { 'x-ms-blob-content-length': '512' })
    expect((await blobs.call('GET', `${name}?snapshot=${snapshot}`)).body.equals(pages(1, 2))).toBe(true)
    expect((await blobs.call('GET', name)).body.equals(pages(2))).toBe(true)
  })

  test('without metadata take that of the base, with its ETag', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512, { 'x-ms-meta-run': 'one' })
    const base = await blobs.call('HEAD', name)
    const snapshot = await blobs.call('HEAD', `${name}?snapshot=${await blobs.snapshot(name)}`)
    expect(snapshot.headers).toMatchObject({ 'x-ms-meta-run': 'one', etag: base.headers['etag'] })
  })

  test('with metadata have that alone, and an ETag of their own', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512, { 'x-ms-meta-run': 'one' })
    const base = await blobs.call('HEAD', name)
    const made = await blobs.call('PUT', `${name}?comp=snapshot`, { 'x-ms-meta-point': 'two' })
    const snapshot = await blobs.call('HEAD', `${name}?snapshot=${made.headers['x-ms-snapshot']}`)
    expect(snapshot.headers['x-ms-meta-point']).toBe('two')
    expect(snapshot.headers['x-ms-meta-run']).toBeUndefined()
    expect(snapshot.headers['etag']).not.toBe(base.headers['etag'])
  })

  test('are read-only', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    const snapshot = await blobs.snapshot(name)
    const answer = await blobs.call('PUT', `${name}?comp=metadata&snapshot=${snapshot}`, { 'x-ms-meta-run': 'two' })
    expect(answer.status).toBe(400)
  })

  test('obey the conditions on the base', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    expect(await blobs.call('PUT', `${name}?comp=snapshot`, { 'if-match': '"0x0"' })).toMatchObject({ status: 412, code: 'ConditionNotMet' })
  })

  test('are listed with their metadata when asked for', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    const made = await blobs.call('PUT', `${name}?comp=snapshot`, { 'x-ms-meta-run': 'seven' })
    const query = `restype=container&comp=list&prefix=${name}&include=snapshots,metadata`
    const { status, body } = await blobs.callUrl('GET', `${blobs.containerUrl}?${query}`)
    expect(status).toBe(200)
    expect(body.toString('utf8')).toContain(`<Snapshot>${made.headers['x-ms-snapshot']}</Snapshot>`)
    expect(body.toString('utf8')).toMatch(/<run>seven<\/run>/)
  })

  test('keep their base from being deleted alone', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    await blobs.snapshot(name)
    expect(await blobs.call('DELETE', name)).toMatchObject({ status: 409, code: 'SnapshotsPresent' })
    expect(await blobs.call('DELETE', name, { 'x-ms-delete-snapshots': 'include' })).toMatchObject({ status: 202 })
    expect(await blobs.call('HEAD', name)).toMatchObject({ status: 404 })
  })

  test('stay when their base is overwritten', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    await blobs.putPages(name, 0, pages(4))
    const snapshot = await blobs.snapshot(name)
    await blobs.call('PUT', name, { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': '512' })
    expect((await blobs.call('GET', `${name}?snapshot=${snapshot}`)).body.equals(pages(4))).toBe(true)
  })

  test('can be copied to a blob of their own, which is writable', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(1024)
    await blobs.putPages(name, 512, pages(6))
    const snapshot = await blobs.snapshot(name)
    await blobs.clearPages(name, 0, 1024)

    const copy = blobs.freshName()
    const source = `${blobs.containerUrl}/${name}?snapshot=${encodeURIComponent(snapshot)}`
    expect(await blobs.call('PUT', copy, { 'x-ms-copy-source': source })).toMatchObject({ status: 202 })
    while ((await blobs.call('HEAD', copy)).headers['x-ms-copy-status'] === 'pending') {
      // A request is a pause, and a copy of 1 KiB ends by itself.
    }
    expect(await blobs.pageList(copy)).toEqual(['P 512-1023'])
    expect(await blobs.putPages(copy, 0, pages(1))).toMatchObject({ status: 201 })
  })
})
