import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { BaseBlobState } from '../../domain/base-blob-state.ts'
import { KIB, MIB } from '../../domain/byte-range.ts'
import { BaseBlob } from '../../azure/base-blob.ts'
import { createPageLists } from '../../azure/page-lists.ts'
import { collect, failureOf } from './support/clients.ts'
import { openScene, type Scene } from './support/local-azure.ts'

let scene: Scene
let serial = 0

beforeAll(async () => {
  scene = await openScene({ blobLimits: { maxListItems: 2, maxPageListRanges: 3 } })
})
afterAll(() => scene.close())

const SIZE = 8 * MIB

function stateOf(runKey: string): BaseBlobState {
  return {
    diskId: '/subscriptions/s/resourceGroups/größe/providers/Microsoft.Compute/disks/d',
    diskUniqueId: 'u-1',
    condition: 'dirty',
    runKey,
  }
}

async function aBlob(): Promise<BaseBlob> {
  const blob = new BaseBlob(scene.azure, scene.targetUrl, `disks/d-${(serial += 1)}/c/base.vhd`)
  await blob.create(SIZE, stateOf('run-1'))
  return blob
}

async function anOpenBlob(): Promise<{ blob: BaseBlob; epoch: number }> {
  const blob = await aBlob()
  const { epoch } = await blob.raiseEpoch((await propertiesOf(blob)).etag)
  return { blob, epoch }
}

async function propertiesOf(blob: BaseBlob) {
  const found = await blob.properties()
  if (found === undefined) throw new Error('the blob is not there')
  return found
}

describe('base blob', () => {
  test('a blob that is not there has no properties', async () => {
    expect(await new BaseBlob(scene.azure, scene.targetUrl, 'disks/none/c/base.vhd').properties()).toBeUndefined()
  })

  test('a container that is not there is not taken for a missing blob', async () => {
    const blob = new BaseBlob(scene.azure, scene.targetUrl.replace(/target$/, 'missing'), 'base.vhd')
    expect(await failureOf(blob.properties())).toMatchObject({ type: 'TargetNotFound' })
    expect(await failureOf(blob.create(SIZE, stateOf('r')))).toMatchObject({ type: 'TargetNotFound' })
  })

  test('it is made with its state, and making it again leaves it as it is', async () => {
    const blob = await aBlob()
    const first = await propertiesOf(blob)
    await blob.create(2 * SIZE, stateOf('run-2'))
    expect(await propertiesOf(blob)).toEqual(first)
    expect(first).toMatchObject({ sizeBytes: SIZE, state: stateOf('run-1') })
  })

  test('a blob of somebody else is never taken over', async () => {
    const container = scene.azure.container(scene.targetUrl)
    await container.getPageBlobClient('foreign').create(512)
    await container.getBlockBlobClient('text').upload('x', 1)
    expect(
      await failureOf(new BaseBlob(scene.azure, scene.targetUrl, 'foreign').create(SIZE, stateOf('r'))),
    ).toMatchObject({
      type: 'BaseBlobForeign',
    })
    expect(await failureOf(new BaseBlob(scene.azure, scene.targetUrl, 'text').properties())).toMatchObject({
      type: 'BaseBlobForeign',
    })
    const ofAnotherDisk = await aBlob()
    const failure = await failureOf(ofAnotherDisk.create(SIZE, { ...stateOf('r'), diskUniqueId: 'u-2' }))
    expect(failure.type).toBe('BaseBlobForeign')
  })

  test('a blob that is made anew begins above every epoch of the one before', async () => {
    const { blob, epoch } = await anOpenBlob()
    await scene.azure.container(scene.targetUrl).getPageBlobClient(blob.name).delete()
    await blob.create(SIZE, stateOf('run-2'))
    expect((await propertiesOf(blob)).sequenceNumber).toBeGreaterThan(epoch)
  })

  test('a raised epoch fences out the writes of the one before', async () => {
    const blob = await aBlob()
    const first = await blob.raiseEpoch((await propertiesOf(blob)).etag)
    await blob.write(0, Buffer.alloc(512, 1), first.epoch)
    const second = await blob.raiseEpoch((await propertiesOf(blob)).etag)
    expect(second.epoch).toBe(first.epoch + 1)
    expect(await failureOf(blob.write(512, Buffer.alloc(512, 2), first.epoch))).toMatchObject({ type: 'FencedOut' })
    expect(await failureOf(blob.clear({ startBytes: 0, endBytes: 512 }, first.epoch))).toMatchObject({
      type: 'FencedOut',
    })
    expect(await failureOf(blob.copyFrom(await ownSas(), { startBytes: 0, endBytes: 512 }, first.epoch))).toMatchObject(
      { type: 'FencedOut' },
    )
    expect(await blob.read({ startBytes: 0, endBytes: 1024 }, undefined)).toEqual(
      Buffer.concat([Buffer.alloc(512, 1), Buffer.alloc(512)]),
    )
  })

  test('whoever decided on an older ETag is fenced out', async () => {
    const blob = await aBlob()
    const stale = (await propertiesOf(blob)).etag
    const { etag } = await blob.setState({ ...stateOf('run-2'), condition: 'clean' }, stale)
    expect((await propertiesOf(blob)).etag).toBe(etag)
    for (const change of [
      () => blob.setState(stateOf('r'), stale),
      () => blob.raiseEpoch(stale),
      () => blob.resize(2 * SIZE, stale),
      () => blob.snapshot({}, stale),
    ]) {
      expect(await failureOf(change())).toMatchObject({ type: 'FencedOut' })
    }
  })

  test('the ETags that changes answer can be used for the next', async () => {
    const blob = await aBlob()
    const resized = await blob.resize(2 * SIZE, (await propertiesOf(blob)).etag)
    const raised = await blob.raiseEpoch(resized.etag)
    const marked = await blob.setState(stateOf('run-3'), raised.etag)
    await blob.snapshot({ run: 'r' }, marked.etag)
    expect(await propertiesOf(blob)).toMatchObject({
      sizeBytes: 2 * SIZE,
      sequenceNumber: raised.epoch,
      state: stateOf('run-3'),
    })
  })

  test('a snapshot keeps its bytes, carries its own metadata and is found by listing', async () => {
    const { blob, epoch } = await anOpenBlob()
    await blob.write(0, Buffer.alloc(512, 1), epoch)
    const taken: string[] = []
    for (const point of ['a', 'b', 'c']) {
      taken.push((await blob.snapshot({ snapferrypoint: point }, (await propertiesOf(blob)).etag)).snapshot)
    }
    await blob.write(0, Buffer.alloc(512, 2), epoch)
    expect(await blob.read({ startBytes: 0, endBytes: 512 }, taken[0])).toEqual(Buffer.alloc(512, 1))
    expect(
      (await blob.listSnapshots()).map(({ snapshot, metadata }) => [snapshot, metadata['snapferrypoint']]),
    ).toEqual([
      [taken[0], 'a'],
      [taken[1], 'b'],
      [taken[2], 'c'],
    ])
    await blob.deleteSnapshot(taken[1]!)
    await blob.deleteSnapshot(taken[1]!)
    expect((await blob.listSnapshots()).map(({ snapshot }) => snapshot)).toEqual([taken[0], taken[2]])
    expect(await failureOf(blob.read({ startBytes: 0, endBytes: 512 }, taken[1]))).toMatchObject({
      type: 'PointNotFound',
    })
  })

  test('allocated pages and the diff to a snapshot are listed over many answers', async () => {
    const { blob, epoch } = await anOpenBlob()
    for (let index = 0; index < 8; index += 1) await blob.write(index * 64 * KIB, Buffer.alloc(512, index + 1), epoch)
    const { snapshot } = await blob.snapshot({}, (await propertiesOf(blob)).etag)
    for (let index = 0; index < 8; index += 1) {
      const startBytes = index * 64 * KIB
      if (index % 2 === 0) await blob.clear({ startBytes, endBytes: startBytes + 512 }, epoch)
      else await blob.write(startBytes, Buffer.alloc(512, 99), epoch)
    }
    const lists = createPageLists(scene.azure)
    const window = { startBytes: 0, endBytes: SIZE }
    expect(await collect(lists.allocated(blob.pageListSource(snapshot), window))).toHaveLength(8)
    expect(await collect(lists.allocated(blob.pageListSource(), window))).toHaveLength(4)
    const diff = await collect(lists.blobDiff(blob.pageListSource(), snapshot, window))
    expect(diff.map(({ kind }) => kind)).toEqual(['clear', 'copy', 'clear', 'copy', 'clear', 'copy', 'clear', 'copy'])
    expect(
      await failureOf(collect(lists.blobDiff(blob.pageListSource(), '2020-01-01T00:00:00.0000000Z', window))),
    ).toMatchObject({
      type: 'DiffRefused',
    })
  })

  test('a source that cannot be read is told apart from a target that cannot be written', async () => {
    const { blob, epoch } = await anOpenBlob()
    const range = { startBytes: 0, endBytes: 512 }
    const sas = await ownSas()
    await blob.copyFrom(sas, range, epoch)
    expect(await failureOf(blob.copyFrom(sas.replace(/sig=.*/, 'sig=wrong'), range, epoch))).toMatchObject({
      type: 'ExportAccessLost',
    })
    scene.local.assignRoles('looker', [{ actions: ['*/read'] }])
    const readOnly = new BaseBlob(scene.clientsOf('looker'), scene.targetUrl, blob.name)
    expect(await failureOf(readOnly.copyFrom(sas, range, epoch))).toMatchObject({
      type: 'AccessDenied',
      message: expect.stringContaining('blobs/write'),
    })
  })

  test('bytes that were damaged on the way are refused', async () => {
    const { blob, epoch } = await anOpenBlob()
    const data = Buffer.alloc(512, 5)
    const wrong = scene.azure.container(scene.targetUrl).getPageBlobClient(blob.name)
    await expect(
      wrong.uploadPages(data, 0, 512, { transactionalContentCrc64: Buffer.alloc(8, 1) }),
    ).rejects.toMatchObject({ statusCode: 400 })
    await blob.write(0, data, epoch)
    expect(await blob.read({ startBytes: 0, endBytes: 512 }, undefined)).toEqual(data)
  })

  test('an empty range is not cleared, where the SDK would clear all behind it', async () => {
    const { blob, epoch } = await anOpenBlob()
    await blob.write(0, Buffer.alloc(512, 5), epoch)
    await blob.clear({ startBytes: 0, endBytes: 0 }, epoch)
    expect(await blob.read({ startBytes: 0, endBytes: 512 }, undefined)).toEqual(Buffer.alloc(512, 5))
  })
})

/** A SAS of a snapshot's export: what a backup copies from. */
async function ownSas(): Promise<string> {
  const { id } = scene.local.createDisk({ name: `source-${(serial += 1)}`, sizeGib: 1 })
  const { disks } = scene.azure.compute(scene.local.subscriptionId)
  const { accessSAS } = await disks.grantAccess('local', id.split('/').at(-1)!, {
    access: 'Read',
    durationInSeconds: 600,
  })
  return accessSAS!
}
