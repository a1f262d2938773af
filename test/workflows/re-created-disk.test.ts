/** A disk that was deleted and made anew under its name: who asks for its newest point is told of the content that it had before. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { KIB } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { planGroup } from '../../engine/plan-group.ts'
import { offlineCli } from '../support/offline-cli.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'
import type { RecoveryPoint } from '../../domain/recovery-point.ts'

let scene: Scene
let diskId: string
let before: RecoveryPoint
let empty: RecoveryPoint
let told: string
beforeAll(async () => {
  scene = await openScene()
  diskId = scene.createDisk(1, 'reborn')
  await scene.azure.writeDisk(diskId, 0, noise(64 * KIB, seededRandom(1)))
  await scene.backUp(diskId)
  before = (await scene.backUp(diskId)).point
  scene.azure.deleteDisk(diskId)
  scene.createDisk(1, 'reborn')
  empty = (await scene.backUp(diskId)).point
  told = `RE-CREATED: disk reborn was deleted and made anew, and point ${empty.id} is of the new one; the newest point of the earlier one holds ${before.takenAt}: --point ${before.id}`
}, 120_000)
afterAll(() => scene?.close())

const plan = (...options: string[]) =>
  offlineCli(scene)('restore', 'plan', '--target', scene.targetUrl, '--to-disk', scene.freshDiskId(), '--region', TARGET_REGION, ...options)

test('the plan of a restore says it, in words and as JSON', async () => {
  expect((await plan('--disk', diskId)).stdout).toContain(told)
  expect(JSON.parse((await plan('--disk', diskId, '--json')).stdout)).toMatchObject({ origin: { point: { id: empty.id } }, warnings: [told] })
})

test('a restore that was made says it', async () => {
  expect(await scene.restore({ diskId })).toMatchObject({ point: { id: empty.id }, warnings: [told] })
}, 60_000)

test('so do the plan of a group and whoever only looks', async () => {
  const choice = { targetUrl: scene.targetUrl, diskIds: [diskId], toResourceGroup: 'restored', suffix: '', isPartial: false }
  expect((await planGroup(scene.engine, choice)).notes).toEqual([told])
  const { stdout, stderr } = await offlineCli(scene)('rescue', 'show', '--target', scene.targetUrl, '--disk', diskId)
  expect({ stdout, stderr }).toEqual({ stdout: expect.stringContaining(empty.id), stderr: expect.stringContaining(told) })
})

test('who has said which one is meant is told nothing', async () => {
  for (const choice of [['--point', empty.id], ['--disk', diskId, '--at', before.takenAt]]) {
    expect(JSON.parse((await plan(...choice, '--json')).stdout)).toMatchObject({ warnings: [] })
  }
})
