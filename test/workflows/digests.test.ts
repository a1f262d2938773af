import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MIB } from '../../domain/byte-range.ts'
import { createRandomDisk } from '../support/random-disk.ts'
import { expectRightDigests } from '../support/check-digests.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)

let scene: Scene
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene()
})
afterAll(() => scene.close())

test('the digests of a full and five random incrementals, with clears and growth, are those of the bytes', async () => {
  const diskId = scene.createDisk(1)
  const disk = createRandomDisk(scene.azure, diskId, 128 * MIB, SEED)
  for (let round = 0; round < 6; round++) {
    await disk.change(30)
    if (round === 3) scene.azure.growDisk(diskId, 2)
    await scene.backUp(diskId)
  }
  const points = await scene.points(diskId)
  expect(points.map(({ kind }) => kind).reverse()).toEqual(['full', ...Array.from({ length: 5 }, () => 'incremental')])
  expect(new Set(points.map(({ digests }) => digests?.snapshot)).size).toBe(6)
  for (const point of points) await expectRightDigests(scene.clients, scene.targetUrl, point)
}, 240_000)

test('a full backup takes its digests from the service and reads nothing back', async () => {
  const diskId = scene.createDisk(1)
  await createRandomDisk(scene.azure, diskId, 64 * MIB, SEED + 1).change(40)
  await scene.backUp(diskId)
  const [point] = await scene.points(diskId)
  expect(point!.digests?.basis).toBe('service-checksum')
  await expectRightDigests(scene.clients, scene.targetUrl, point!)
}, 120_000)
