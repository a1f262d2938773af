/** `snapferry … | head`: whoever has read enough closes the pipe, which is no error. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MIB } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { snapferry } from '../support/cli-process.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

let scene: Scene
let pointId: string
beforeAll(async () => {
  scene = await openScene()
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(32 * MIB, seededRandom(1)))
  pointId = (await scene.backUp(diskId)).point.id
}, 60_000)
afterAll(() => scene?.close())

test('status --watch ends when nobody reads it any more', async () => {
  expect(await snapferry(scene, ['status', '--watch'], { isPipeClosed: true })).toEqual({ exitCode: 0, stdout: expect.any(String), stderr: '' })
})

test.each([
  ['everything that is left', 900 * MIB],
  ['a few bytes more', 3 * MIB],
])('export --range ends when nobody reads %s', async (_, lengthBytes) => {
  const args = ['rescue', 'export', '--target', scene.targetUrl, '--point', pointId, '--range', `0:${lengthBytes}`]
  const { exitCode, stdout, stderr } = await snapferry(scene, args, { isPipeClosed: true })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout.length).toBeGreaterThan(0)
})

test('export --range of a snapshot that Azure copied gives its access back when nobody reads any more', async () => {
  scene.azure.createResourceGroup({ name: 'copies', location: TARGET_REGION })
  scene.azure.changeSettings({ regionCopyMs: 0 })
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(32 * MIB, seededRandom(2)))
  const { point } = await scene.backUp(diskId, { copyStart: { resourceGroup: 'copies', region: TARGET_REGION } })
  const args = ['rescue', 'export', '--target', scene.targetUrl, '--point', point.id, '--range', `0:${900 * MIB}`]
  const { exitCode, stdout, stderr } = await snapferry(scene, args, { isPipeClosed: true })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout.length).toBeGreaterThan(0)
  expect(scene.azure.grantedAccess()).toEqual([])
})
