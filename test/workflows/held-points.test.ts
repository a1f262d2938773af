/** Retention and restores meet on one point: whoever reads it is let read to the end. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { endHold, holdPoint, listHolds } from '../../azure/point-holds.ts'
import { KIB } from '../../domain/byte-range.ts'
import { chainPrefix, holdName, restoreWorkflowId } from '../../domain/names.ts'
import { HOLD_LASTS_MS } from '../../domain/point-hold.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { pruneHolds } from '../../engine/held-points.ts'
import { planRestore } from '../../engine/plan-restore.ts'
import { restoreToDisk } from '../../engine/restore-to-disk.ts'
import { StorageError } from '../../simulator/blob-service/storage-error.ts'
import { progressQuery } from '../../workflows/messages.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

const KEEP_ONE = { retention: { keepLast: 1 } }

let scene: Scene
/** Done once, when a restore writes its first bytes. */
let meanwhile: (() => Promise<unknown>) | undefined
/** Whether the target refuses to be written where holds are. */
let refusesHolds = false
beforeAll(async () => {
  scene = await openScene({
    blobHooks: {
      async before({ operation, blob }) {
        if (refusesHolds && operation === 'PutBlob' && blob.includes('/holds/')) throw new StorageError('AuthorizationPermissionMismatch')
        const work = meanwhile
        if (operation !== 'PutPageFromUrl' || work === undefined) return
        meanwhile = undefined
        await work()
      },
    },
  })
})
afterAll(() => scene?.close())

async function backedUp() {
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(64 * KIB, seededRandom(1)))
  const { point } = await scene.backUp(diskId, KEEP_ONE)
  return { diskId, point, digest: await scene.azure.digestDisk(diskId), chain: chainPrefix(diskId, point.diskUniqueId) }
}

const idsOf = async (diskId: string): Promise<string[]> => (await scene.points(diskId)).map(({ id }) => id)

test('a backup whose retention drops a point leaves it while it is restored; the next one deletes it', async () => {
  const { diskId, point, digest, chain } = await backedUp()
  let newer = ''
  meanwhile = async () => {
    newer = (await scene.backUp(diskId, KEEP_ONE)).point.id
    expect(await idsOf(diskId)).toEqual([newer, point.id])
  }
  const restored = await scene.restore({ pointId: point.id })
  expect(restored.warnings).toEqual([])
  expect(await scene.azure.digestDisk(restored.diskId)).toEqual(digest)
  expect(await listHolds(scene.clients, scene.targetUrl, chain)).toEqual([])

  const last = await scene.backUp(diskId, KEEP_ONE)
  expect(await idsOf(diskId)).toEqual([last.point.id])
}, 120_000)

test('a rescue holds its point for as long as it takes, and lets it go', async () => {
  const { point, chain } = await backedUp()
  const request = { targetUrl: scene.targetUrl, pointId: point.id, toDiskId: scene.freshDiskId(), region: TARGET_REGION, requestId: 'rescue' }
  const plan = await planRestore(scene.engine, request)
  // As one that has lapsed, hours after it was planned.
  await endHold(scene.clients, scene.targetUrl, plan.job.holdName!)
  let held: unknown
  meanwhile = async () => {
    held = await listHolds(scene.clients, scene.targetUrl, chain)
  }
  await restoreToDisk(scene.engine, plan)
  expect(held).toMatchObject([{ pointId: point.id }])
  expect(await listHolds(scene.clients, scene.targetUrl, chain)).toEqual([])
}, 120_000)

test('where the target may not be written, the restore goes through and says, from its plan on, that the point is not held', async () => {
  const { point, digest } = await backedUp()
  refusesHolds = true
  const toDiskId = scene.freshDiskId()
  let said: readonly string[] | undefined
  meanwhile = async () => {
    said = (await scene.client.workflow.getHandle(restoreWorkflowId(toDiskId)).query(progressQuery)).warnings
  }
  const restored = await scene.restore({ pointId: point.id, toDiskId })
  refusesHolds = false
  expect(said).toEqual(restored.warnings)
  expect(restored.warnings).toEqual([expect.stringMatching(/retention may delete the point.*Pause the policies/)])
  expect(await scene.azure.digestDisk(restored.diskId)).toEqual(digest)
}, 120_000)

test('what a restore that was terminated has left keeps the point for some hours and then goes', async () => {
  const { diskId, point, chain } = await backedUp()
  const { clients, targetUrl } = scene
  await holdPoint(clients, targetUrl, holdName(chain, point.id, 'a restore that was terminated'))
  const newer = await scene.backUp(diskId, KEEP_ONE)
  expect(await idsOf(diskId)).toEqual([newer.point.id, point.id])

  await pruneHolds(scene.engine, { targetUrl, chain, nowMs: Date.now() + HOLD_LASTS_MS - 60_000 })
  const [hold] = await listHolds(clients, targetUrl, chain)
  expect(hold).toMatchObject({ pointId: point.id })
  await pruneHolds(scene.engine, { targetUrl, chain, nowMs: Date.now() + HOLD_LASTS_MS + 60_000 })
  expect(await listHolds(clients, targetUrl, chain)).toEqual([])
  await endHold(clients, targetUrl, hold!.name)
}, 120_000)
