import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { accountUsage } from '../../simulator/blob-service/usage.ts'
import { ACCOUNT, page, startBlobFixture, type BlobFixture } from './blob-fixture.ts'

let fixture: BlobFixture
beforeAll(async () => {
  fixture = await startBlobFixture()
  await fixture.call('PUT', 'disks?restype=container')
})
afterAll(() => fixture.close())

const create = (blob: string) =>
  fixture.call('PUT', `disks/${blob}`, { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': '65536' })
const snapshot = async (blob: string) =>
  (await fixture.call('PUT', `disks/${blob}?comp=snapshot`)).headers['x-ms-snapshot']
function put(blob: string, startPage: number, pages: number, isClear = false) {
  const range = { 'x-ms-range': `bytes=${startPage * 512}-${(startPage + pages) * 512 - 1}` }
  const headers = { ...range, 'x-ms-page-write': isClear ? 'clear' : 'update' }
  return fixture.call('PUT', `disks/${blob}?comp=page`, headers, isClear ? undefined : page(1, pages))
}
/** Of each state of a blob, in pages. */
function usage(name: string) {
  const account = fixture.service.account(ACCOUNT)
  const found = account === undefined ? undefined : accountUsage(account).find(({ blob }) => blob === name)
  return found?.states.map(({ snapshot: time, allocatedBytes, uniqueBytes }) => [
    time,
    allocatedBytes / 512,
    uniqueBytes / 512,
  ])
}

test('a snapshot takes up the pages that its successor does not share, and the base all that it holds', async () => {
  await create('shared')
  await put('shared', 0, 10)
  const first = await snapshot('shared')
  expect(usage('shared')).toEqual([
    [first, 10, 0],
    [undefined, 10, 10],
  ])
  await put('shared', 2, 3)
  await put('shared', 20, 5)
  await put('shared', 9, 1, true)
  const second = await snapshot('shared')
  await put('shared', 2, 1)
  expect(usage('shared')).toEqual([
    [first, 10, 4],
    [second, 14, 1],
    [undefined, 14, 14],
  ])
})

test('a page that is written again with the same bytes is another page', async () => {
  await create('rewritten')
  await put('rewritten', 0, 4)
  const time = await snapshot('rewritten')
  await put('rewritten', 0, 4)
  expect(usage('rewritten')).toEqual([
    [time, 4, 4],
    [undefined, 4, 4],
  ])
})

test('a snapshot of a blob that was made anew shares nothing with it', async () => {
  await create('anew')
  await put('anew', 0, 4)
  const time = await snapshot('anew')
  await create('anew')
  expect(usage('anew')).toEqual([
    [time, 4, 4],
    [undefined, 0, 0],
  ])
})

test('a limit that is changed holds from the next request on, and one that does not exist is refused', async () => {
  await create('limited')
  const write = () => put('limited', 0, 4)
  expect((await write()).status).toBe(201)
  fixture.service.changeLimits({ maxPageWriteBytes: 1024 })
  expect(await write()).toMatchObject({ status: 413, code: 'RequestBodyTooLarge' })
  fixture.service.changeLimits({ maxPageWriteBytes: Number.MAX_SAFE_INTEGER })
  expect((await write()).status).toBe(201)
  expect(() => fixture.service.changeLimits({ maxPages: 1 } as object)).toThrow('maxPages')
})
