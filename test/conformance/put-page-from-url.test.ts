/** Put Page From URL between blobs (REST: put-page-from-url). From disks: disk-export.test.ts. */
import { createHash } from 'node:crypto'
import { beforeAll, expect, test } from '@jest/globals'
import { closedRange, pages } from './support/blobs.ts'
import { conformance } from './support/conformance.ts'
import { withQuery } from './support/rest.ts'
import { createSigner, type Signer } from './support/signatures.ts'

const MIB = 2 ** 20

conformance('Put Page From URL', (ground) => {
  let signer: Signer
  beforeAll(async () => {
    signer = await createSigner(ground().place, ground().blobs.containerUrl)
  })

  const copy = (name: string, source: string, range: string, sourceRange: string, headers: Record<string, string> = {}) =>
    ground().blobs.call('PUT', `${name}?comp=page`, {
      'x-ms-page-write': 'update',
      'x-ms-copy-source': source,
      'x-ms-range': range,
      'x-ms-source-range': sourceRange,
      ...headers,
    })

  test('copies from one offset to another and tells the CRC64 of what it wrote', async () => {
    const { blobs } = ground()
    const [from, to] = [await blobs.createPageBlob(2048), await blobs.createPageBlob(2048)]
    const put = await blobs.putPages(from, 1024, pages(3))
    const answer = await copy(to, signer.sign(from), closedRange(512, 512), closedRange(1024, 512))
    expect(answer).toMatchObject({ status: 201, headers: { 'x-ms-content-crc64': put.headers['x-ms-content-crc64'] } })
    expect(await blobs.pageList(to)).toEqual(['P 512-1023'])
    expect((await blobs.call('GET', to, { range: closedRange(512, 512) })).body.equals(pages(3))).toBe(true)
  })

  test('copies from a snapshot what it holds, not what its base holds now', async () => {
    const { blobs } = ground()
    const [from, to] = [await blobs.createPageBlob(512), await blobs.createPageBlob(512)]
    await blobs.putPages(from, 0, pages(1))
    const snapshotTime = await blobs.snapshot(from)
    await blobs.putPages(from, 0, pages(2))
    const range = closedRange(0, 512)
    expect(await copy(to, signer.sign(from, { snapshotTime }), range, range)).toMatchObject({ status: 201 })
    expect((await blobs.call('GET', to)).body.equals(pages(1))).toBe(true)
  })

  test('takes 4 MiB and no more, and ranges of one length', async () => {
    const { blobs } = ground()
    const [from, to] = [await blobs.createPageBlob(8 * MIB), await blobs.createPageBlob(8 * MIB)]
    const source = signer.sign(from)
    const same = (lengthBytes: number) => copy(to, source, closedRange(0, lengthBytes), closedRange(0, lengthBytes))
    expect(await same(4 * MIB)).toMatchObject({ status: 201 })
    expect((await same(4 * MIB + 512)).status).toBe(413)
    expect((await copy(to, source, closedRange(0, 512), closedRange(0, 1024))).status).toBe(400)
  })

  test('refuses a body, a source URL over 2 KiB, and a source that cannot be read', async () => {
    const { blobs } = ground()
    const [from, to] = [await blobs.createPageBlob(512), await blobs.createPageBlob(512)]
    const range = closedRange(0, 512)
    const headers = { 'x-ms-page-write': 'update', 'x-ms-copy-source': signer.sign(from), 'x-ms-range': range, 'x-ms-source-range': range }
    expect((await blobs.call('PUT', `${to}?comp=page`, headers, pages(1))).status).toBe(400)
    expect((await copy(to, withQuery(signer.sign(from), `x=${'y'.repeat(2048)}`), range, range)).status).toBe(400)
    const missing = await copy(to, signer.sign(blobs.freshName()), range, range)
    expect(missing.status).toBe(404)
    expect((await copy(to, `${blobs.containerUrl}/${from}`, range, range)).status).toBeGreaterThanOrEqual(400)
    expect(await blobs.pageList(to)).toEqual([])
  })

  test('compares a hash of the source, one of the two kinds', async () => {
    const { blobs } = ground()
    const [from, to] = [await blobs.createPageBlob(512), await blobs.createPageBlob(512)]
    await blobs.putPages(from, 0, pages(8))
    const range = closedRange(0, 512)
    const put = (headers: Record<string, string>) => copy(to, signer.sign(from), range, range, headers)
    const md5 = (data: Buffer): string => createHash('md5').update(data).digest('base64')
    const wrongCrc64 = Buffer.alloc(8, 1).toString('base64')
    expect(await put({ 'x-ms-source-content-md5': md5(pages(7)) })).toMatchObject({ status: 400, code: 'Md5Mismatch' })
    expect(await put({ 'x-ms-source-content-crc64': wrongCrc64 })).toMatchObject({ status: 400 })
    expect(await put({ 'x-ms-source-content-md5': md5(pages(8)), 'x-ms-source-content-crc64': wrongCrc64 })).toMatchObject({ status: 400 })
    expect(await put({ 'x-ms-source-content-md5': md5(pages(8)) })).toMatchObject({ status: 201 })
  })

  test('obeys the sequence number and lease of its target and the ETag of its source', async () => {
    const { blobs } = ground()
    const [from, to] = [await blobs.createPageBlob(512), await blobs.createPageBlob(512, { 'x-ms-blob-sequence-number': '4' })]
    await blobs.putPages(from, 0, pages(2))
    const range = closedRange(0, 512)
    const put = (headers: Record<string, string>) => copy(to, signer.sign(from), range, range, headers)
    expect(await put({ 'x-ms-if-sequence-number-eq': '3' })).toMatchObject({ status: 412, code: 'SequenceNumberConditionNotMet' })
    expect((await put({ 'x-ms-source-if-match': '"0x0"' })).status).toBe(412)
    const { headers } = await blobs.call('PUT', `${to}?comp=lease`, { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': '-1' })
    expect(await put({})).toMatchObject({ status: 412, code: 'LeaseIdMissing' })
    const right = { 'x-ms-lease-id': headers['x-ms-lease-id'] ?? '', 'x-ms-if-sequence-number-eq': '4' }
    expect(await put(right)).toMatchObject({ status: 201 })
  })

  test('takes a token for its source beside the request', async () => {
    const { blobs, place } = ground()
    const [from, to] = [await blobs.createPageBlob(512), await blobs.createPageBlob(512)]
    await blobs.putPages(from, 0, pages(6))
    const token = await place.credential.getToken('https://storage.azure.com/.default')
    const range = closedRange(0, 512)
    const headers = { 'x-ms-copy-source-authorization': `Bearer ${token?.token}` }
    expect(await copy(to, `${blobs.containerUrl}/${from}`, range, range, headers)).toMatchObject({ status: 201 })
    expect((await blobs.call('GET', to)).body.equals(pages(6))).toBe(true)
  })
})
