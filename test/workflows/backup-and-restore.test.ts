import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { BaseBlob } from '../../azure/base-blob.ts'
import { cut, GIB, KIB, MIB } from '../../domain/byte-range.ts'
import { createRandomDisk, noise } from '../support/random-disk.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)

let scene: Scene
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene()
})
afterAll(() => scene.close())

async function expectRestored(pointId: string, digest: string): Promise<void> {
  const { diskId } = await scene.restore({ pointId })
  expect((await scene.azure.digestDisk(diskId)).sha256).toBe(digest)
}

describe('a chain of recovery points', () => {
  test('every point of a full and five random incrementals is restored byte for byte', async () => {
    const diskId = scene.createDisk(1)
    const disk = createRandomDisk(scene.azure, diskId, 256 * MIB, SEED)
    const expected: { pointId: string; sha256: string }[] = []
    for (let round = 0; round < 6; round++) {
      await disk.change(40)
      const { sha256 } = await scene.azure.digestDisk(diskId)
      const { point } = await scene.backUp(diskId)
      expect(point.kind).toBe(round === 0 ? 'full' : 'incremental')
      expected.push({ pointId: point.id, sha256 })
    }
    for (const { pointId, sha256 } of expected) await expectRestored(pointId, sha256)
    expect((await scene.points(diskId)).map(({ id }) => id)).toEqual(expected.map(({ pointId }) => pointId).reverse())
  }, 240_000)

  test('a diff of 25,000 ranges, over several pages of answers, is copied whole', async () => {
    const diskId = scene.createDisk(1)
    await scene.azure.writeDisk(diskId, 0, noise(4 * MIB, seededRandom(SEED)))
    await scene.backUp(diskId)
    const data = noise(4 * KIB, seededRandom(SEED + 1))
    for (let index = 0; index < 25_000; index++) await scene.azure.writeDisk(diskId, index * 16 * KIB, data)
    const { point } = await scene.backUp(diskId)
    expect(point).toMatchObject({ kind: 'incremental', changedBytes: 25_000 * 4 * KIB })
    const base = new BaseBlob(scene.clients, scene.targetUrl, point.baseBlobName)
    for (const range of cut({ startBytes: 0, endBytes: 400 * MIB }, 4 * MIB)) {
      const held = await base.read(range, point.blobSnapshot)
      expect(held.equals(await scene.azure.readDisk(diskId, range.startBytes, 4 * MIB))).toBe(true)
    }
  }, 600_000)

  test('a disk that grew between two runs is brought forward incrementally', async () => {
    const diskId = scene.createDisk(1)
    const disk = createRandomDisk(scene.azure, diskId, 64 * MIB, SEED + 2)
    await disk.change(20)
    await scene.backUp(diskId)
    scene.azure.growDisk(diskId, 3)
    await scene.azure.writeDisk(diskId, 2 * GIB, noise(MIB, seededRandom(SEED + 3)))
    const { sha256 } = await scene.azure.digestDisk(diskId)
    const { point } = await scene.backUp(diskId)
    expect(point).toMatchObject({ kind: 'incremental', sizeBytes: 3 * GIB })
    await expectRestored(point.id, sha256)
  }, 120_000)
})

describe('when an incremental is impossible', () => {
  test('a cursor snapshot that was deleted from outside leads to a reseed that says so', async () => {
    const diskId = scene.createDisk(1)
    const disk = createRandomDisk(scene.azure, diskId, 64 * MIB, SEED + 4)
    await disk.change(20)
    const first = await scene.backUp(diskId)
    const [manifest] = await scene.points(diskId)
    scene.azure.deleteSnapshot(manifest!.source.snapshotId)
    await disk.change(20)
    const { sha256 } = await scene.azure.digestDisk(diskId)
    const { point } = await scene.backUp(diskId)
    expect(point).toMatchObject({ kind: 'reseed', reseedCause: 'CursorSnapshotGone' })
    await expectRestored(point.id, sha256)
    await expect(scene.restore({ pointId: first.point.id })).resolves.toMatchObject({ point: { id: first.point.id } })
  }, 120_000)

  test('a disk re-created under the same name starts a new chain and keeps the old points', async () => {
    const diskId = scene.createDisk(1, 'reborn')
    await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(SEED + 5)))
    const before = await scene.azure.digestDisk(diskId)
    const first = await scene.backUp(diskId)
    scene.azure.deleteDisk(diskId)
    scene.createDisk(1, 'reborn')
    await scene.azure.writeDisk(diskId, 4 * MIB, noise(MIB, seededRandom(SEED + 6)))
    const after = await scene.azure.digestDisk(diskId)
    const second = await scene.backUp(diskId)
    expect(second.point.kind).toBe('full')
    expect(second.point.baseBlobName).not.toBe(first.point.baseBlobName)
    expect(await scene.points(diskId)).toHaveLength(2)
    await expectRestored(first.point.id, before.sha256)
    await expectRestored(second.point.id, after.sha256)
  }, 120_000)
})

describe('what a run leaves behind', () => {
  test('is one source snapshot, no SAS, and as many points as retention keeps', async () => {
    const diskId = scene.createDisk(1, 'tidy')
    const disk = createRandomDisk(scene.azure, diskId, 32 * MIB, SEED + 7)
    const ids: string[] = []
    for (let round = 0; round < 4; round++) {
      await disk.change(5)
      ids.push((await scene.backUp(diskId, { retention: { keepLast: 2 } })).point.id)
    }
    expect((await scene.points(diskId)).map(({ id }) => id)).toEqual(ids.slice(-2).reverse())
    expect((await scene.sourceSnapshots()).filter((name) => name.includes('tidy'))).toHaveLength(1)
    expect(scene.azure.grantedAccess()).toEqual([])
  }, 120_000)

  test('an incremental moves what changed and little more', async () => {
    const diskId = scene.createDisk(64)
    await scene.azure.writeDisk(diskId, 10 * GIB, noise(4 * MIB, seededRandom(SEED + 8)))
    await scene.backUp(diskId)
    for (let index = 0; index < 64; index++) await scene.azure.writeDisk(diskId, index * GIB, noise(MIB, seededRandom(SEED + index)))
    const { point } = await scene.backUp(diskId)
    expect(point.changedBytes).toBe(64 * MIB)
    expect(point.movedBytes).toBeLessThanOrEqual(1.1 * point.changedBytes)
  }, 120_000)
})
