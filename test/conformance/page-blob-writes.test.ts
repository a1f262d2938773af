/** Put Blob, Put Page, Clear Pages, resize and Get Blob of page blobs (REST: put-blob, put-page, get-blob, set-blob-properties). */
import { createHash } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { closedRange, pages } from './support/blobs.ts'
import { conformance } from './support/conformance.ts'

const MIB = 2 ** 20

conformance('page-blob writes', (ground) => {
  test('a new page blob is all zeros and has no page range', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(4096)
    const { status, body } = await blobs.call('GET', name)
    expect(status).toBe(200)
    expect(body.equals(Buffer.alloc(4096))).toBe(true)
    expect(await blobs.pageList(name)).toEqual([])
  })

  test('the size must be a multiple of 512, and at most 8 TiB', async () => {
    const { blobs } = ground()
    const create = (sizeBytes: number) =>
      blobs.call('PUT', blobs.freshName(), { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': String(sizeBytes) })
    expect(await create(1000)).toMatchObject({ status: 400, code: 'InvalidHeaderValue' })
    expect(await create(8 * 2 ** 40 + 512)).toMatchObject({ status: 400 })
    expect(await create(8 * 2 ** 40)).toMatchObject({ status: 201 })
  })

  test('a write changes its pages, the ETag, and nothing else', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(2048)
    const before = await blobs.call('HEAD', name)
    const written = await blobs.putPages(name, 512, pages(7, 2))
    expect(written.status).toBe(201)
    expect(written.headers['x-ms-blob-sequence-number']).toBe('0')
    expect(written.headers['etag']).not.toBe(before.headers['etag'])
    const { body } = await blobs.call('GET', name)
    expect(body.equals(Buffer.concat([pages(0), pages(7, 2), pages(0)]))).toBe(true)
  })

  test('a write takes 4 MiB and no more', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(8 * MIB)
    expect(await blobs.putPages(name, 0, Buffer.alloc(4 * MIB, 1))).toMatchObject({ status: 201 })
    expect(await blobs.putPages(name, 0, Buffer.alloc(4 * MIB + 512, 1))).toMatchObject({ status: 413, code: 'RequestBodyTooLarge' })
  })

  test('a range that is not whole pages, or goes beyond the end, is refused and changes nothing', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(1024)
    expect(await blobs.putPages(name, 256, pages(1))).toMatchObject({ status: 416, code: 'InvalidPageRange' })
    expect(await blobs.putPages(name, 512, pages(1, 2))).toMatchObject({ status: 416, code: 'InvalidPageRange' })
    expect(await blobs.pageList(name)).toEqual([])
  })

  test('a body that does not fill its range is refused', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(4096)
    expect(await blobs.putPages(name, 0, pages(1), { range: closedRange(0, 1024) })).toMatchObject({ status: 400 })
  })

  test('x-ms-page-write is mandatory and must be update or clear', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    const range = { range: closedRange(0, 512) }
    expect(await blobs.call('PUT', `${name}?comp=page`, range, pages(1))).toMatchObject({ status: 400, code: 'MissingRequiredHeader' })
    const write = { ...range, 'x-ms-page-write': 'append' }
    expect(await blobs.call('PUT', `${name}?comp=page`, write, pages(1))).toMatchObject({ status: 400, code: 'InvalidHeaderValue' })
  })

  test('one clear may cover the whole blob', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(64 * MIB)
    await blobs.putPages(name, 5 * MIB, pages(1, 8))
    await blobs.putPages(name, 63 * MIB, pages(2, 8))
    expect(await blobs.clearPages(name, 0, 64 * MIB)).toMatchObject({ status: 201 })
    expect(await blobs.pageList(name)).toEqual([])
  })

  test('a wrong MD5 or CRC64 of the body refuses the write, both together are not taken', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    const md5 = (data: Buffer): string => createHash('md5').update(data).digest('base64')
    const crc64 = Buffer.alloc(8, 1).toString('base64')
    const put = (headers: Record<string, string>) => blobs.putPages(name, 0, pages(1), headers)
    expect(await put({ 'content-md5': md5(pages(2)) })).toMatchObject({ status: 400, code: 'Md5Mismatch' })
    expect(await put({ 'x-ms-content-crc64': crc64 })).toMatchObject({ status: 400, code: 'Crc64Mismatch' })
    expect(await put({ 'content-md5': md5(pages(1)), 'x-ms-content-crc64': crc64 })).toMatchObject({ status: 400 })
    expect(await put({ 'content-md5': md5(pages(1)) })).toMatchObject({ status: 201 })
  })

  test('a write without a checksum is answered with the CRC64 that the service computed', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(1024)
    const { headers } = await blobs.putPages(name, 0, pages(3))
    const crc64 = headers['x-ms-content-crc64'] ?? ''
    expect(Buffer.from(crc64, 'base64')).toHaveLength(8)
    // The same bytes elsewhere: it is a checksum of the content, and the service takes it as one.
    expect(await blobs.putPages(name, 512, pages(3), { 'x-ms-content-crc64': crc64 })).toMatchObject({ status: 201 })
  })

  test('growing adds zeros; shrinking cuts off, and what comes back is zero', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(1024)
    await blobs.putPages(name, 0, pages(5, 2))
    const resize = (sizeBytes: number) => blobs.call('PUT', `${name}?comp=properties`, { 'x-ms-blob-content-length': String(sizeBytes) })
    expect(await resize(2048)).toMatchObject({ status: 200 })
    expect(await blobs.pageList(name)).toEqual(['P 0-1023'])
    expect(await resize(512)).toMatchObject({ status: 200 })
    expect(await resize(1024)).toMatchObject({ status: 200 })
    expect((await blobs.call('GET', name)).body.equals(Buffer.concat([pages(5), pages(0)]))).toBe(true)
    expect(await resize(1000)).toMatchObject({ status: 400 })
  })

  test('a read gives the range asked for, cut at the end; one that begins there is 416', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(1024)
    await blobs.putPages(name, 512, pages(9))
    const read = (range: string) => blobs.call('GET', name, { range })
    const tail = await read('bytes=500-9999')
    expect(tail).toMatchObject({ status: 206, headers: { 'content-range': 'bytes 500-1023/1024' } })
    expect(tail.body.equals(Buffer.concat([Buffer.alloc(12), pages(9)]))).toBe(true)
    expect(await read('bytes=1024-2047')).toMatchObject({ status: 416, code: 'InvalidRange' })
  })

  test('the MD5 of a range is computed for up to 4 MiB', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(8 * MIB)
    const read = (lengthBytes: number) =>
      blobs.call('GET', name, { 'x-ms-range': closedRange(0, lengthBytes), 'x-ms-range-get-content-md5': 'true' })
    const { status, headers, body } = await read(4 * MIB)
    expect(status).toBe(206)
    expect(headers['content-md5']).toBe(createHash('md5').update(body).digest('base64'))
    expect(await read(4 * MIB + 512)).toMatchObject({ status: 400 })
  })

  test('ETag conditions: 412 for a write, 304 for a read that has nothing new', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    const { headers } = await blobs.call('HEAD', name)
    const etag = headers['etag'] ?? ''
    expect(await blobs.putPages(name, 0, pages(1), { 'if-match': '"0x0"' })).toMatchObject({ status: 412, code: 'ConditionNotMet' })
    expect(await blobs.call('GET', name, { 'if-none-match': etag })).toMatchObject({ status: 304 })
    expect(await blobs.putPages(name, 0, pages(1), { 'if-match': etag })).toMatchObject({ status: 201 })
    expect(await blobs.putPages(name, 0, pages(1), { 'if-match': etag })).toMatchObject({ status: 412 })
  })

  test('pages are for page blobs that are there', async () => {
    const { blobs } = ground()
    const blockBlob = blobs.freshName()
    expect(await blobs.call('PUT', blockBlob, { 'x-ms-blob-type': 'BlockBlob' }, 'text')).toMatchObject({ status: 201 })
    expect(await blobs.putPages(blockBlob, 0, pages(1))).toMatchObject({ status: 409, code: 'InvalidBlobType' })
    expect(await blobs.putPages(blobs.freshName(), 0, pages(1))).toMatchObject({ status: 404, code: 'BlobNotFound' })
  })
})
