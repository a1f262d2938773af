import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { PageBlobClient } from '@azure/storage-blob'
import { crc64Base64 } from '../../simulator/blob-service/crc64.ts'
import { md5Base64 } from '../../simulator/blob-service/checksums.ts'
import { failure, page, startBlobFixture, type BlobFixture } from './blob-fixture.ts'

const SIZE = 8 * 2 ** 20
const data = randomBytes(SIZE)
let azure: BlobFixture
let source: PageBlobClient
let target: PageBlobClient
let sourceUrl: string
let foreign: Server
let foreignUrl: string

beforeAll(async () => {
  azure = await startBlobFixture()
  const container = azure.sdk.getContainerClient('copies')
  await container.create()
  source = container.getPageBlobClient('source')
  target = container.getPageBlobClient('target')
  await source.create(SIZE)
  await source.uploadPages(data.subarray(0, SIZE / 2), 0, SIZE / 2)
  await source.uploadPages(data.subarray(SIZE / 2), SIZE / 2, SIZE / 2)
  sourceUrl = `${source.url}${azure.sas}`
  foreign = createServer((request, response) => {
    const [, start, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? []
    if (request.url === '/refused') response.writeHead(404, { 'x-ms-error-code': 'BlobNotFound' }).end()
    else response.writeHead(206).end(data.subarray(Number(start), Number(end) + 1))
  })
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve))
  foreignUrl = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`
})
afterAll(async () => {
  foreign.closeAllConnections()
  await new Promise((resolve) => foreign.close(resolve))
  await azure.close()
})
beforeEach(() => target.create(SIZE))

const copy = (headers: Record<string, string>) =>
  azure.call('PUT', 'copies/target?comp=page', {
    'x-ms-page-write': 'update',
    'x-ms-copy-source': sourceUrl,
    'x-ms-range': 'bytes=0-511',
    'x-ms-source-range': 'bytes=0-511',
    ...headers,
  })

describe('Put Page From URL', () => {
  test('copies a range to another offset and answers with the CRC64 of what landed', async () => {
    const answer = await copy({ 'x-ms-range': 'bytes=4096-8191', 'x-ms-source-range': 'bytes=512-4607' })
    expect(answer.status).toBe(201)
    expect(answer.headers['x-ms-content-crc64']).toBe(crc64Base64(data.subarray(512, 4608)))
    expect((await target.downloadToBuffer(4096, 4096)).equals(data.subarray(512, 4608))).toBe(true)
  })

  test('copies from another server', async () => {
    await target.uploadPagesFromURL(`${foreignUrl}/disk`, 1024, 0, 2048)
    expect((await target.downloadToBuffer(0, 2048)).equals(data.subarray(1024, 3072))).toBe(true)
    const refused = await copy({ 'x-ms-copy-source': `${foreignUrl}/refused` })
    expect([refused.status, refused.code, refused.headers['x-ms-copy-source-error-code']]).toEqual([
      404,
      'CannotVerifyCopySource',
      'BlobNotFound',
    ])
  })

  test.each<[string, Record<string, string>, number, string]>([
    ['ranges that differ in length', { 'x-ms-source-range': 'bytes=0-1023' }, 400, 'InvalidHeaderValue'],
    ['no source range', { 'x-ms-source-range': '' }, 400, 'MissingRequiredHeader'],
    ['a version before 2018-11-09', { 'x-ms-version': '2018-03-28' }, 400, 'UnsupportedHeader'],
    [
      'a source URL above 2 KiB',
      { 'x-ms-copy-source': `https://example.com/${'a'.repeat(2048)}` },
      400,
      'InvalidHeaderValue',
    ],
    ['a wrong CRC64 of the source', { 'x-ms-source-content-crc64': 'AAAAAAAAAAA=' }, 400, 'Crc64Mismatch'],
    ['a wrong MD5 of the source', { 'x-ms-source-content-md5': md5Base64(page(0)) }, 400, 'Md5Mismatch'],
    ['a condition on the source that fails', { 'x-ms-source-if-match': '"0x0"' }, 412, 'SourceConditionNotMet'],
    ['a sequence number that has passed', { 'x-ms-if-sequence-number-eq': '4' }, 412, 'SequenceNumberConditionNotMet'],
    [
      'more than 4 MiB',
      { 'x-ms-range': `bytes=0-${4194304 + 511}`, 'x-ms-source-range': `bytes=0-${4194304 + 511}` },
      413,
      'RequestBodyTooLarge',
    ],
    [
      'a source range behind its end',
      { 'x-ms-source-range': `bytes=${SIZE}-${SIZE + 511}` },
      416,
      'CannotVerifyCopySource',
    ],
  ])('refuses %s', async (_, headers, status, code) => {
    const answer = await copy(headers)
    expect([answer.status, answer.code]).toEqual([status, code])
    expect((await target.getPageRanges()).pageRange).toEqual([])
  })

  test('needs rights to the source', async () => {
    const answer = await copy({ 'x-ms-copy-source': source.url })
    expect([answer.status, answer.code]).toEqual([401, 'CannotVerifyCopySource'])
  })

  test('that is held up while the epoch is raised does not land', async () => {
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    azure.service.hooks = { before: ({ operation }) => (operation === 'PutPageFromUrl' ? held : undefined) }
    const late = failure(
      target.uploadPagesFromURL(sourceUrl, 0, 0, 512, { conditions: { ifSequenceNumberEqualTo: 0 } }),
    )
    await target.updateSequenceNumber('increment')
    release()
    azure.service.hooks = {}
    expect(await late).toEqual({ statusCode: 412, code: 'SequenceNumberConditionNotMet' })
  })
})

test('hooks see each operation with its bytes, and stats count copied bytes', async () => {
  const calls: string[] = []
  azure.service.hooks = {
    before: ({ operation, blob, bytes }) => void calls.push(`before ${operation} ${blob} ${bytes}`),
    after: ({ operation }, { status }) => void calls.push(`after ${operation} ${status}`),
  }
  const before = azure.service.stats().bytesByAccount['backups']?.copied ?? 0
  await target.uploadPagesFromURL(sourceUrl, 0, 0, 4096)
  azure.service.hooks = {}
  expect(calls).toEqual(['before PutPageFromUrl target 4096', 'after PutPageFromUrl 201'])
  expect((azure.service.stats().bytesByAccount['backups']?.copied ?? 0) - before).toBe(4096)
})
