import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GIB, KIB, MIB, totalBytes } from '../../domain/byte-range.ts'
import { sourceSnapshotTags } from '../../domain/tags.ts'
import { BaseBlob } from '../../azure/base-blob.ts'
import { ExportAccess } from '../../azure/export-access.ts'
import { createPageLists, type PageListSource } from '../../azure/page-lists.ts'
import { createIncrementalSnapshot, deleteSnapshot } from '../../azure/snapshots.ts'
import { collect, failureOf } from './support/clients.ts'
import { openScene, type Scene } from './support/local-azure.ts'

let scene: Scene
let access: ExportAccess

beforeAll(async () => {
  scene = await openScene({ blobLimits: { maxPageListRanges: 5 } })
  access = new ExportAccess(scene.azure)
})
afterAll(() => scene.close())

interface Disk {
  readonly id: string
  readonly uniqueId: string
}

async function aSnapshot(disk: Disk, name: string): Promise<string> {
  const id = scene.idOf('snapshots', name)
  const tags = sourceSnapshotTags({ targetKey: 't', diskUniqueId: disk.uniqueId }, name)
  await createIncrementalSnapshot(scene.azure, {
    id,
    diskId: disk.id,
    diskUniqueId: disk.uniqueId,
    location: 'westeurope',
    tags,
  })
  return id
}

async function sourceOf(snapshotId: string): Promise<PageListSource> {
  return { url: await access.read(snapshotId), auth: 'sas' }
}

const WINDOW = { startBytes: 0, endBytes: GIB }

describe('the diff of two snapshots of a managed disk', () => {
  test('is complete over many answers, with what was cleared', async () => {
    const disk = scene.local.createDisk({ name: 'd1', sizeGib: 1 })
    for (let index = 0; index < 12; index += 1)
      await scene.local.writeDisk(disk.id, index * MIB, Buffer.alloc(4 * KIB, 1))
    const first = await aSnapshot(disk, 'd1-s1')
    for (let index = 0; index < 12; index += 1) {
      if (index % 2 === 0) scene.local.clearDisk(disk.id, index * MIB, 4 * KIB)
      else await scene.local.writeDisk(disk.id, index * MIB, Buffer.alloc(512, 2))
    }
    const second = await aSnapshot(disk, 'd1-s2')

    const lists = createPageLists(scene.azure)
    const changes = await collect(lists.managedDiskDiff(await sourceOf(second), await access.read(first), WINDOW))
    expect(changes.map(({ kind, startBytes, endBytes }) => [kind, startBytes / MIB, endBytes - startBytes])).toEqual(
      Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? ['clear', index, 4 * KIB] : ['copy', index, 512])),
    )
    expect(totalBytes(await collect(lists.allocated(await sourceOf(first), WINDOW)))).toBe(12 * 4 * KIB)
  })

  test('in windows is the same as in one', async () => {
    const disk = scene.local.createDisk({ name: 'd2', sizeGib: 1 })
    const first = await aSnapshot(disk, 'd2-s1')
    await scene.local.writeDisk(disk.id, MIB, Buffer.alloc(3 * MIB, 1))
    const second = await aSnapshot(disk, 'd2-s2')
    const lists = createPageLists(scene.azure)
    const source = await sourceOf(second)
    const inWindows: unknown[] = []
    for (const [startBytes, endBytes] of [
      [0, 2 * MIB],
      [2 * MIB, 2 * MIB + 512],
      [2 * MIB + 512, GIB],
    ] as const) {
      inWindows.push(
        ...(await collect(lists.managedDiskDiff(source, await access.read(first), { startBytes, endBytes }))),
      )
    }
    expect(inWindows).toEqual([
      { kind: 'copy', startBytes: MIB, endBytes: 2 * MIB },
      { kind: 'copy', startBytes: 2 * MIB, endBytes: 2 * MIB + 512 },
      { kind: 'copy', startBytes: 2 * MIB + 512, endBytes: 4 * MIB },
    ])
  })

  test('is refused between families and in the wrong order, and lost access is told from that', async () => {
    const disk = scene.local.createDisk({ name: 'd3', sizeGib: 1 })
    const other = scene.local.createDisk({ name: 'd4', sizeGib: 1 })
    const first = await aSnapshot(disk, 'd3-s1')
    const second = await aSnapshot(disk, 'd3-s2')
    const foreign = await aSnapshot(other, 'd4-s1')
    const lists = createPageLists(scene.azure)
    const diff = async (of: string, previous: string) =>
      failureOf(collect(lists.managedDiskDiff(await sourceOf(of), await access.read(previous), WINDOW)))
    expect(await diff(second, foreign)).toMatchObject({ type: 'DiffRefused' })
    expect(await diff(first, second)).toMatchObject({ type: 'DiffRefused' })

    const source = await sourceOf(second)
    const previous = await access.read(first)
    scene.local.withdrawAccess(second)
    expect(await failureOf(collect(lists.managedDiskDiff(source, previous, WINDOW)))).toMatchObject({
      type: 'ExportAccessLost',
    })
    await access.renew(second, source.url)
    await deleteSnapshot(scene.azure, first)
    expect(await failureOf(access.renew(first, previous))).toMatchObject({ type: 'SourceSnapshotNotFound' })
  })
})

test('a snapshot under private access is not copied by the service, and says so', async () => {
  const disk = scene.local.createDisk({ name: 'd5', sizeGib: 1 })
  const id = await aSnapshot(disk, 'd5-s1')
  const { snapshots } = scene.azure.compute(scene.local.subscriptionId)
  await snapshots.update('local', 'd5-s1', { networkAccessPolicy: 'AllowPrivate' })
  const blob = new BaseBlob(scene.azure, scene.targetUrl, 'private/base.vhd')
  await blob.create(GIB + 512, { diskId: disk.id, diskUniqueId: disk.uniqueId, condition: 'dirty', runKey: 'r' })
  const { sequenceNumber } = (await blob.properties())!
  const copy = blob.copyFrom(await access.read(id), { startBytes: 0, endBytes: 512 }, sequenceNumber)
  expect(await failureOf(copy)).toMatchObject({ type: 'ServerSideCopyRefused' })
})
