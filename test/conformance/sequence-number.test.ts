/** The sequence number of a page blob and the conditions on it: what fences late writes (REST: put-page, set-blob-properties). */
import { expect, test } from '@jest/globals'
import { pages } from './support/blobs.ts'
import { conformance } from './support/conformance.ts'

conformance('the sequence number', (ground) => {
  const setNumber = (name: string, action: string, number?: number) =>
    ground().blobs.call('PUT', `${name}?comp=properties`, {
      'x-ms-sequence-number-action': action,
      ...(number === undefined ? {} : { 'x-ms-blob-sequence-number': String(number) }),
    })
  const numberOf = async (name: string): Promise<string | undefined> =>
    (await ground().blobs.call('HEAD', name)).headers['x-ms-blob-sequence-number']

  test('begins at 0, or at what Put Blob gives', async () => {
    const { blobs } = ground()
    expect(await numberOf(await blobs.createPageBlob(512))).toBe('0')
    expect(await numberOf(await blobs.createPageBlob(512, { 'x-ms-blob-sequence-number': '17' }))).toBe('17')
  })

  test('max never lowers it, update sets it, increment adds one', async () => {
    const name = await ground().blobs.createPageBlob(512)
    expect(await setNumber(name, 'max', 5)).toMatchObject({ status: 200, headers: { 'x-ms-blob-sequence-number': '5' } })
    expect(await setNumber(name, 'max', 3)).toMatchObject({ status: 200, headers: { 'x-ms-blob-sequence-number': '5' } })
    expect(await setNumber(name, 'update', 2)).toMatchObject({ status: 200, headers: { 'x-ms-blob-sequence-number': '2' } })
    expect(await setNumber(name, 'increment')).toMatchObject({ status: 200, headers: { 'x-ms-blob-sequence-number': '3' } })
  })

  test('increment takes no number, max and update need one', async () => {
    const name = await ground().blobs.createPageBlob(512)
    expect(await setNumber(name, 'increment', 4)).toMatchObject({ status: 400 })
    expect(await setNumber(name, 'max')).toMatchObject({ status: 400 })
    expect(await setNumber(name, 'update')).toMatchObject({ status: 400 })
  })

  test('every kind of write with the number of before is refused once it was raised', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(1024, { 'x-ms-blob-sequence-number': '7' })
    expect(await blobs.putPages(name, 0, pages(1, 2), { 'x-ms-if-sequence-number-eq': '7' })).toMatchObject({ status: 201 })
    await setNumber(name, 'increment')
    const refused = { status: 412, code: 'SequenceNumberConditionNotMet' }
    expect(await blobs.putPages(name, 0, pages(2), { 'x-ms-if-sequence-number-eq': '7' })).toMatchObject(refused)
    expect(await blobs.putPages(name, 0, pages(2), { 'x-ms-if-sequence-number-lt': '8' })).toMatchObject(refused)
    expect(await blobs.putPages(name, 0, pages(2), { 'x-ms-if-sequence-number-le': '7' })).toMatchObject(refused)
    expect(await blobs.clearPages(name, 0, 512, { 'x-ms-if-sequence-number-eq': '7' })).toMatchObject(refused)
    expect((await blobs.call('GET', name)).body.equals(pages(1, 2))).toBe(true)
    expect(await blobs.putPages(name, 0, pages(2), { 'x-ms-if-sequence-number-le': '8' })).toMatchObject({ status: 201 })
  })

  test('writes leave it, resizing leaves it, snapshots carry it', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512, { 'x-ms-blob-sequence-number': '9' })
    await blobs.putPages(name, 0, pages(1))
    await blobs.call('PUT', `${name}?comp=properties`, { 'x-ms-blob-content-length': '1024' })
    const snapshot = await blobs.snapshot(name)
    await setNumber(name, 'update', 1)
    expect(await numberOf(`${name}?snapshot=${snapshot}`)).toBe('9')
  })
})
