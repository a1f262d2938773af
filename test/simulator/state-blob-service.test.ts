import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Publication } from '../../simulator/blob-service/published-blob.ts'
import { page, startBlobFixture, type BlobFixture } from './blob-fixture.ts'
import { createRandom } from './support/random.ts'

/** A blob service that is left as a killed process leaves it, and another one in its directory. */

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

let stateDirectory = ''
let fixture: BlobFixture
beforeEach(async () => {
  stateDirectory = mkdtempSync(join(tmpdir(), 'kept-blobs-'))
  fixture = await startBlobFixture({ stateDirectory })
})
afterEach(async () => {
  await fixture.close()
  rmSync(stateDirectory, { recursive: true })
})

async function restart(): Promise<void> {
  await fixture.close()
  fixture = await startBlobFixture({ stateDirectory })
}

async function put(path: string, headers: Record<string, string> = {}, body?: Buffer | string): Promise<void> {
  const { status, code } = await fixture.call('PUT', path, headers, body)
  if (status >= 300) throw new Error(`${path}: ${status} ${code}`)
}

const writePages = (blob: string, startBytes: number, data: Buffer) =>
  put(
    `disks/${blob}?comp=page`,
    { 'x-ms-page-write': 'update', 'x-ms-range': `bytes=${startBytes}-${startBytes + data.length - 1}` },
    data,
  )

/** Those of the request, and those that name a port, which is another one after a restart. */
const CHANGING_HEADERS = ['date', 'x-ms-request-id', 'x-ms-copy-source']
const withoutOrigin = (body: Buffer) => body.toString().replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, '')

/** Everything that a client can see of the account: lists, properties, bytes, page lists and differences. */
async function seen(): Promise<unknown[]> {
  const answers: unknown[] = []
  const ask = async (method: 'GET' | 'HEAD', path: string): Promise<void> => {
    const { status, headers, body } = await fixture.call(method, path)
    const told = Object.entries(headers).filter(([name]) => !CHANGING_HEADERS.includes(name))
    // The body of a refusal holds the id of its request.
    answers.push({ path, status, headers: told, body: status < 300 ? body.toString('base64') : '' })
  }
  const { body } = await fixture.call('GET', '?comp=list&include=metadata')
  answers.push(withoutOrigin(body))
  for (const container of ['disks', 'points']) {
    const list = await fixture.call(
      'GET',
      `${container}?restype=container&comp=list&include=snapshots,metadata,uncommittedblobs,copy`,
    )
    const text = withoutOrigin(list.body)
    answers.push(text)
    for (const [, name = '', snapshot] of text.matchAll(/<Name>([^<]*)<\/Name>(?:<Snapshot>([^<]*)<\/Snapshot>)?/g)) {
      const of = snapshot === undefined ? '' : `snapshot=${encodeURIComponent(snapshot)}`
      await ask('HEAD', `${container}/${name}?${of}`)
      await ask('GET', `${container}/${name}?${of}`)
      await ask('GET', `${container}/${name}?comp=pagelist&${of}`)
      await ask('GET', `${container}/${name}?comp=blocklist&blocklisttype=all&${of}`)
      if (snapshot !== undefined)
        await ask('GET', `${container}/${name}?comp=pagelist&prevsnapshot=${encodeURIComponent(snapshot)}`)
    }
  }
  return answers
}

test('accounts, containers, blobs, snapshots, leases and blocks are after a kill what they were', async () => {
  await put('disks?restype=container', { 'x-ms-meta-Owner': 'me' })
  await put('points?restype=container')
  await put('gone?restype=container')
  await fixture.call('DELETE', 'gone?restype=container')
  await put('disks/base', {
    'x-ms-blob-type': 'PageBlob',
    'x-ms-blob-content-length': '8192',
    'x-ms-meta-State': 'dirty',
    'x-ms-blob-content-type': 'application/vhd',
  })
  await writePages('base', 512, page(1, 4))
  await put('disks/base?comp=snapshot')
  await writePages('base', 1024, page(2))
  await put('disks/base?comp=page', { 'x-ms-page-write': 'clear', 'x-ms-range': 'bytes=512-1023' })
  await put('disks/base?comp=snapshot', { 'x-ms-meta-run': 'second' })
  await put('disks/base?comp=properties', {
    'x-ms-blob-content-length': '16384',
    'x-ms-sequence-number-action': 'increment',
  })
  await put('disks/copy', { 'x-ms-copy-source': `${fixture.baseUrl}/backups/disks/base${fixture.sas}` })
  await writePages('copy', 8192, page(3))
  const lease = await fixture.call('PUT', 'disks/base?comp=lease', {
    'x-ms-lease-action': 'acquire',
    'x-ms-lease-duration': '-1',
  })
  await put('points/a.json', { 'x-ms-blob-type': 'BlockBlob' }, '{"point":1}')
  await put(`points/b?comp=block&blockid=${encodeURIComponent('AAAA')}`, {}, 'first')
  await put('points/b?comp=blocklist', {}, '<BlockList><Latest>AAAA</Latest></BlockList>')
  await put(`points/b?comp=block&blockid=${encodeURIComponent('BBBB')}`, {}, 'later')

  const before = await seen()
  await restart()
  expect(await seen()).toEqual(before)

  expect((await fixture.call('PUT', 'disks/base?comp=metadata')).code).toBe('LeaseIdMissing')
  const leaseId = lease.headers['x-ms-lease-id'] ?? ''
  await put('disks/base?comp=metadata', { 'x-ms-lease-id': leaseId })
  await put('points/b?comp=blocklist', {}, '<BlockList><Latest>AAAA</Latest><Latest>BBBB</Latest></BlockList>')
  expect((await fixture.call('GET', 'points/b')).body.toString()).toBe('firstlater')
})

test('a diff is still refused after a restart when the blob was overwritten before it', async () => {
  await put('disks?restype=container')
  const create = { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': '4096' }
  await put('disks/base', create)
  const { headers } = await fixture.call('PUT', 'disks/base?comp=snapshot')
  await put('disks/base', create)
  await restart()
  const diff = await fixture.call('GET', `disks/base?comp=pagelist&prevsnapshot=${headers['x-ms-snapshot']}`)
  expect(diff.code).toBe('BlobOverwritten')
})

test(`what was acknowledged is there, in any order of changes and restarts (SEED=${seed})`, async () => {
  const random = createRandom(seed)
  await put('disks?restype=container')
  await put('points?restype=container')
  const create = { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': '65536' }
  for (let step = 0; step < 250; step += 1) {
    const blob = `b${random(3)}`
    const choice = random(100)
    const offset = random(120) * 512
    if (choice < 10) await fixture.call('PUT', `disks/${blob}`, create)
    else if (choice < 50) await writePages(blob, offset, page(step % 255, 1 + random(8))).catch(() => {})
    else if (choice < 70) {
      const range = `bytes=${offset}-${offset + 1023}`
      await fixture.call('PUT', `disks/${blob}?comp=page`, { 'x-ms-page-write': 'clear', 'x-ms-range': range })
    } else if (choice < 85) await fixture.call('PUT', `disks/${blob}?comp=snapshot`)
    else if (choice < 88) {
      const source = `${fixture.baseUrl}/backups/disks/b${random(3)}${fixture.sas}`
      await fixture.call('PUT', `disks/${blob}`, { 'x-ms-copy-source': source })
    } else if (choice < 91) await fixture.call('DELETE', `disks/${blob}`, { 'x-ms-delete-snapshots': 'include' })
    else if (choice < 93) await fixture.call('DELETE', `disks/${blob}`, { 'x-ms-delete-snapshots': 'only' })
    else if (choice < 96) {
      const before = await seen()
      await restart()
      expect(await seen()).toEqual(before)
    }
  }
})

test('a SAS of a disk works on after a restart until it is withdrawn, and is found by its id', async () => {
  const volume = fixture.store.createVolume(2 ** 20)
  await volume.write(4096, page(7))
  const { publisher } = fixture.service
  const footer = page(9)
  const common = { uniqueId: 'u', createdAt: new Date(), needsBearer: false, isPrivate: false, familyId: 'f' }
  const exported = publisher.publish({ ...common, kind: 'export', content: volume.freeze(), footer }, 3600)
  const upload = publisher.publish({ kind: 'upload', volume, uniqueId: 'u', needsBearer: false }, 3600)
  const ended = publisher.publish({ ...common, kind: 'export', content: volume.freeze(), footer }, 3600)
  ended.withdraw()
  const read = ({ sasUrl }: Publication, offset: number) => {
    const { pathname, search } = new URL(sasUrl)
    return fixture.send('GET', pathname + search, { 'x-ms-range': `bytes=${offset}-${offset + 511}` })
  }
  await volume.write(4096, page(8))

  await restart()
  expect((await read(exported, 4096)).body.equals(page(7))).toBe(true)
  expect((await read(exported, 2 ** 20)).body.equals(page(9))).toBe(true)
  expect((await read(ended, 4096)).code).toBe('AuthenticationFailed')
  const found = fixture.service.publisher.find(exported.id)
  expect(new URL(found?.sasUrl ?? '').search).toBe(new URL(exported.sasUrl).search)
  expect(new URL(found?.sasUrl ?? '').origin).toBe(fixture.baseUrl)
  expect(fixture.service.publisher.find(upload.id)?.expiresAt).toEqual(upload.expiresAt)
  found?.withdraw()

  await restart()
  expect((await read(exported, 4096)).code).toBe('AuthenticationFailed')
})
