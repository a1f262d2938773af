import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PageBlobClient } from '@azure/storage-blob'
import { failure, page, startBlobFixture, type BlobFixture } from './blob-fixture.ts'

/** Copy Blob while it is pending. The clock stands still until a test moves it. */

const PENDING = { statusCode: 409, code: 'PendingCopyOperation' }
const METADATA = { of: 'source' }

let stateDirectory = ''
let now = new Date()
let azure: BlobFixture
beforeEach(async () => {
  stateDirectory = mkdtempSync(join(tmpdir(), 'copied-blobs-'))
  now = new Date()
  await start()
  await azure.sdk.getContainerClient('disks').create()
  await blobOf('source').create(4096, { metadata: METADATA })
  await blobOf('source').uploadPages(page(1), 512, 512)
})
afterEach(async () => {
  await azure.close()
  rmSync(stateDirectory, { recursive: true })
})

async function start(): Promise<void> {
  azure = await startBlobFixture({ stateDirectory, clock: () => now, limits: { copyBlobMs: 60_000 } })
}

async function restart(): Promise<void> {
  await azure.close()
  await start()
}

const blobOf = (name: string): PageBlobClient => azure.sdk.getContainerClient('disks').getPageBlobClient(name)
const passSeconds = (seconds: number): void => void (now = new Date(now.getTime() + seconds * 1000))

/** Begins a copy of the source; gives its id. */
async function begin(target = 'target', headers: Record<string, string> = {}): Promise<string> {
  const source = `${azure.baseUrl}/backups/disks/source${azure.sas}`
  const answer = await azure.call('PUT', `disks/${target}`, { 'x-ms-copy-source': source, ...headers })
  expect([answer.status, answer.headers['x-ms-copy-status']]).toEqual([202, 'pending'])
  return answer.headers['x-ms-copy-id'] ?? ''
}

describe('a pending copy', () => {
  test('shows how far it is, reads as zeros, and then is the source with another ETag', async () => {
    const id = await begin()
    passSeconds(15)
    const pending = await blobOf('target').getProperties()
    expect(pending).toMatchObject({
      copyId: id,
      copyStatus: 'pending',
      copyProgress: '1024/4096',
      contentLength: 4096,
      metadata: METADATA,
    })
    expect(pending.copyCompletedOn).toBeUndefined()
    expect((await blobOf('target').downloadToBuffer()).equals(page(0, 8))).toBe(true)
    expect((await blobOf('target').getPageRanges()).pageRange).toEqual([])

    passSeconds(45)
    const done = await blobOf('target').getProperties()
    expect(done).toMatchObject({ copyId: id, copyStatus: 'success', copyProgress: '4096/4096', metadata: METADATA })
    expect(done.copyCompletedOn).toBeInstanceOf(Date)
    expect(done.etag).not.toBe(pending.etag)
    expect((await blobOf('target').downloadToBuffer(512, 512)).equals(page(1))).toBe(true)
    await blobOf('target').uploadPages(page(2), 0, 512)
  })

  test('lets nobody change, snapshot, lease, delete or overwrite its blob', async () => {
    await begin()
    const target = blobOf('target')
    const source = `${azure.baseUrl}/backups/disks/source${azure.sas}`
    const changes = [
      () => target.uploadPages(page(2), 0, 512),
      () => target.clearPages(0, 512),
      () => target.uploadPagesFromURL(source, 0, 0, 512),
      () => target.resize(8192),
      () => target.updateSequenceNumber('increment'),
      () => target.setMetadata({ other: '1' }),
      () => target.createSnapshot(),
      () => target.getBlobLeaseClient().acquireLease(-1),
      () => target.create(512),
      () => target.syncCopyFromURL(source),
      () => target.beginCopyFromURL(source),
      () => target.delete(),
    ]
    for (const change of changes) expect(await failure(change())).toEqual(PENDING)
    passSeconds(60)
    expect((await target.downloadToBuffer(512, 512)).equals(page(1))).toBe(true)
    await target.delete()
  })

  test('onto an infinite lease keeps it locked, and needs its id to be aborted', async () => {
    await blobOf('target').create(512)
    const { leaseId = '' } = await blobOf('target').getBlobLeaseClient().acquireLease(-1)
    const id = await begin('target', { 'x-ms-lease-id': leaseId })
    expect(await failure(blobOf('target').getBlobLeaseClient(leaseId).releaseLease())).toEqual(PENDING)
    expect(await failure(blobOf('target').abortCopyFromURL(id))).toMatchObject({ statusCode: 412 })
    await blobOf('target').abortCopyFromURL(id, { conditions: { leaseId } })
    expect(await blobOf('target').getProperties()).toMatchObject({ copyStatus: 'aborted', leaseState: 'leased' })
  })

  test('that is aborted leaves an empty blob with the metadata of the copy', async () => {
    const id = await begin()
    passSeconds(30)
    expect(await failure(blobOf('target').abortCopyFromURL('another'))).toEqual({
      statusCode: 409,
      code: 'CopyIdMismatch',
    })
    await blobOf('target').abortCopyFromURL(id)
    passSeconds(60)
    expect(await blobOf('target').getProperties()).toMatchObject({
      copyStatus: 'aborted',
      copyProgress: '2048/4096',
      contentLength: 0,
      metadata: METADATA,
    })
    expect(await failure(blobOf('target').abortCopyFromURL(id))).toMatchObject({ code: 'NoPendingCopyOperation' })
    await begin()
  })

  test('fails when its source changes or goes, but not with a snapshot of it', async () => {
    const { snapshot = '' } = await blobOf('source').createSnapshot()
    await begin('changed')
    const source = `${azure.baseUrl}/backups/disks/source${azure.sas}&snapshot=${encodeURIComponent(snapshot)}`
    const ofSnapshot = await azure.call('PUT', 'disks/of-snapshot', { 'x-ms-copy-source': source })
    expect(ofSnapshot.headers['x-ms-copy-status']).toBe('pending')
    await blobOf('source').uploadPages(page(3), 0, 512)
    passSeconds(60)
    const failed = { copyStatus: 'failed', contentLength: 0 }
    expect(await blobOf('changed').getProperties()).toMatchObject({
      ...failed,
      copyStatusDescription: expect.stringContaining('412'),
    })
    await begin('gone')
    await blobOf('source').delete({ deleteSnapshots: 'include' })
    passSeconds(60)
    expect(await blobOf('gone').getProperties()).toMatchObject({
      ...failed,
      copyStatusDescription: expect.stringContaining('404'),
    })
    expect(await blobOf('of-snapshot').getProperties()).toMatchObject({ copyStatus: 'success', contentLength: 4096 })
  })

  test('is told in lists', async () => {
    await begin()
    const list = async () =>
      (await azure.call('GET', 'disks?restype=container&comp=list&include=copy')).body.toString()
    expect(await list()).toContain('<CopyStatus>pending</CopyStatus><CopyProgress>0/4096</CopyProgress>')
    passSeconds(60)
    expect(await list()).toContain('<CopyStatus>success</CopyStatus><CopyProgress>4096/4096</CopyProgress>')
  })

  test('goes on over a restart, and a blob that was deleted does not come back by it', async () => {
    await begin()
    await restart()
    expect(await blobOf('target').getProperties()).toMatchObject({ copyStatus: 'pending' })
    expect(await failure(blobOf('target').uploadPages(page(2), 0, 512))).toEqual(PENDING)
    passSeconds(60)
    await restart()
    expect(await blobOf('target').getProperties()).toMatchObject({ copyStatus: 'success' })
    await restart()
    expect((await blobOf('target').downloadToBuffer(512, 512)).equals(page(1))).toBe(true)

    await begin('again')
    await azure.sdk.getContainerClient('disks').delete()
    passSeconds(60)
    await restart()
    expect(await failure(blobOf('again').getProperties())).toMatchObject({ statusCode: 404 })
  })
})

test('Copy Blob From URL is never pending', async () => {
  const source = `${azure.baseUrl}/backups/disks/source${azure.sas}`
  const { copyStatus } = await blobOf('target').syncCopyFromURL(source)
  expect(copyStatus).toBe('success')
  expect((await blobOf('target').downloadToBuffer(512, 512)).equals(page(1))).toBe(true)
})

test('a block blob has no blocks until its copy is there', async () => {
  const block = azure.sdk.getContainerClient('disks').getBlockBlobClient('note')
  await block.upload('text', 4)
  const copy = azure.sdk.getContainerClient('disks').getBlockBlobClient('copy')
  await copy.beginCopyFromURL(`${block.url}${azure.sas}`)
  expect((await copy.getProperties()).contentLength).toBe(0)
  passSeconds(60)
  expect((await copy.downloadToBuffer()).toString()).toBe('text')
})
