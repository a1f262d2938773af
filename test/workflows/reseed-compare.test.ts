/** A reseed moves what differs and nothing else, and comes out right also where what it knows of the base blob is gone or too old. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { BaseBlob } from '../../azure/base-blob.ts'
import { MIB } from '../../domain/byte-range.ts'
import { CHUNK_BYTES, ENTRY_BYTES } from '../../domain/digest-table.ts'
import { digestTableName, verifyWorkflowId } from '../../domain/names.ts'
import type { BackupOptions } from '../../domain/policy.ts'
import type { RecoveryPoint } from '../../domain/recovery-point.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { verifyPoint } from '../../workflows/index.ts'
import { expectRightDigests } from '../support/check-digests.ts'
import { createRandomDisk, noise } from '../support/random-disk.ts'
import { expectRestorable } from '../support/round-trip.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const HELD_BYTES = 32 * MIB
/** Nothing changes there: it is the same in the source and in the base blob. */
const HELD_CHUNK = 4

let scene: Scene
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene()
})
afterAll(() => scene?.close())

/** A disk with a point, whose cursor somebody deleted; since then it was changed in two places. */
async function lostCursor(name: string): Promise<{ diskId: string; sha256: string }> {
  const diskId = scene.createDisk(1, name)
  for (let at = 0; at < HELD_BYTES; at += 8 * MIB) await scene.azure.writeDisk(diskId, at, noise(8 * MIB, seededRandom(SEED + at)))
  await scene.backUp(diskId)
  const [last] = await scene.points(diskId)
  scene.azure.deleteSnapshot(last!.source.snapshotId)
  await scene.azure.writeDisk(diskId, 20 * MIB, noise(4096, seededRandom(SEED + 1)))
  await createRandomDisk(scene.azure, diskId, 8 * MIB, SEED).change(3)
  scene.azure.clearDisk(diskId, 28 * MIB, MIB)
  return { diskId, sha256: (await scene.azure.digestDisk(diskId)).sha256 }
}

async function reseed(diskId: string, options: Partial<BackupOptions> = {}): Promise<RecoveryPoint> {
  const { point } = await scene.backUp(diskId, options)
  expect(point).toMatchObject({ kind: 'reseed', reseedCause: 'CursorSnapshotGone', verification: { result: 'passed', rounds: 1 } })
  return point
}

function verify(diskId: string): Promise<unknown> {
  return scene.client.workflow.execute<typeof verifyPoint>('verifyPoint', {
    taskQueue: `${scene.taskQueuePrefix}-control`,
    workflowId: verifyWorkflowId(scene.targetUrl, { diskId }),
    args: [{ targetUrl: scene.targetUrl, diskId, level: 'full' }],
  })
}

test('what the digests of the last point show to be equal is not moved, and the point says how much that was', async () => {
  const { diskId, sha256 } = await lostCursor('compared')
  const point = await reseed(diskId)
  expect(point.savedBytes).toBeGreaterThan(8 * MIB)
  // Chunks of 4 MiB: at most the two or three at the random changes, and the two others.
  expect(point.movedBytes).toBeLessThanOrEqual(20 * MIB + 512)
  const [newest] = await scene.points(diskId)
  expect(newest).toMatchObject({ savedBytes: point.savedBytes })
  await expectRightDigests(scene.clients, scene.targetUrl, newest!)
  await expectRestorable(scene, point.id, sha256)
  // The chain goes on by differences.
  await scene.azure.writeDisk(diskId, 0, noise(4096, seededRandom(SEED + 2)))
  expect((await scene.backUp(diskId)).point.kind).toBe('incremental')
}, 240_000)

test('with `reseed: move` everything is moved', async () => {
  const { diskId } = await lostCursor('moved')
  const point = await reseed(diskId, { reseed: 'move' })
  expect(point.savedBytes).toBeUndefined()
  expect(point.movedBytes).toBeGreaterThan(HELD_BYTES / 2)
}, 240_000)

test('bytes that changed in the base blob since its last point are not taken for what the digests say', async () => {
  const { diskId, sha256 } = await lostCursor('spoiled')
  const [last] = await scene.points(diskId)
  const base = new BaseBlob(scene.clients, scene.targetUrl, last!.baseBlob.name)
  const { sequenceNumber } = (await base.properties())!
  await base.write(13 * MIB, noise(8192, seededRandom(SEED + 3)), sequenceNumber)
  const point = await reseed(diskId)
  expect(point.savedBytes).toBeGreaterThan(8 * MIB)
  await expectRestorable(scene, point.id, sha256)
}, 240_000)

test('a chunk that was found to be damaged is moved, also where only its digest is wrong', async () => {
  const { diskId, sha256 } = await lostCursor('doubted')
  const [last] = await scene.points(diskId)
  const { name: blob, snapshot } = last!.digests!
  await scene.azure.rotBlob({ account: 'backups', container: 'points', blob, snapshot, offsetBytes: HELD_CHUNK * ENTRY_BYTES + (SEED % 8) })
  await expect(verify(diskId)).rejects.toMatchObject({ cause: { type: 'PointSuspect' } })
  const point = await reseed(diskId, { reseed: 'compare' })
  expect(point.savedBytes).toBeGreaterThan(8 * MIB)
  expect(point.mended).toEqual([{ startBytes: HELD_CHUNK * CHUNK_BYTES, endBytes: (HELD_CHUNK + 1) * CHUNK_BYTES }])
  await expectRightDigests(scene.clients, scene.targetUrl, (await scene.points(diskId))[0]!)
  await expectRestorable(scene, point.id, sha256)
}, 240_000)

test('without digests everything is moved, unless the policy has the base blob read', async () => {
  for (const [name, options] of [['tableless', {}], ['tableless-read', { reseed: 'compare' }]] as const) {
    const { diskId, sha256 } = await lostCursor(name)
    const [last] = await scene.points(diskId)
    const table = scene.clients.container(scene.targetUrl).getPageBlobClient(digestTableName(last!.baseBlob.name))
    await table.delete({ deleteSnapshots: 'include' })
    const point = await reseed(diskId, options)
    if (name === 'tableless') expect(point.savedBytes).toBeUndefined()
    else {
      expect(point.savedBytes).toBeGreaterThan(8 * MIB)
      await expectRestorable(scene, point.id, sha256)
    }
  }
}, 240_000)
