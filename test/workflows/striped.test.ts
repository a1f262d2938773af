/** Disks over several page blobs, by the workflows on a real Temporal server. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GIB, KIB, MIB } from '../../domain/byte-range.ts'
import { backupWorkflowId } from '../../domain/names.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { noise } from '../support/random-disk.ts'
import { backUpChanged, expectRestorable } from '../support/round-trip.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
/** The largest disk that an upload takes (`uploadSizeBytes` of Microsoft.Compute). */
const LARGEST_GIB = 32_767
/** A fifth of where Temporal itself begins to warn (10,240 events, docs.temporal.io/self-hosted-guide/defaults). */
const MAX_EVENTS = 2_000

let scene: Scene
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene()
})
afterAll(() => scene.close())

async function historyOf(diskId: string): Promise<{ events: number; bytes: number }> {
  const { events = [] } = await scene.client.workflow.getHandle(backupWorkflowId(diskId, scene.targetUrl)).fetchHistory()
  return { events: events?.length ?? 0, bytes: JSON.stringify(events).length }
}

describe('a disk over several stripes', () => {
  test('every point of a full and two incrementals, one after growth, is restored byte for byte', async () => {
    const diskId = scene.createDisk(1)
    const options = { stripes: 3 }
    const first = await backUpChanged(scene, diskId, SEED, options)
    const second = await backUpChanged(scene, diskId, SEED + 1, options)
    scene.azure.growDisk(diskId, 2)
    await scene.azure.writeDisk(diskId, GIB + 40 * MIB, noise(MIB, seededRandom(SEED + 2)))
    const third = await backUpChanged(scene, diskId, SEED + 3, options)
    expect([first, second, third].map(({ point }) => point.kind)).toEqual(['full', 'incremental', 'incremental'])
    for (const { point, sha256 } of [first, second, third]) await expectRestorable(scene, point.id, sha256)
    expect((await scene.points(diskId)).map(({ stripes }) => stripes?.blobs.length)).toEqual([3, 3, 3])
    expect(scene.azure.grantedAccess()).toEqual([])
  }, 240_000)

  test('another number of stripes is a reseed that says so, and the older point stays restorable', async () => {
    const diskId = scene.createDisk(1)
    const one = await backUpChanged(scene, diskId, SEED + 4)
    const many = await backUpChanged(scene, diskId, SEED + 5, { stripes: 2 })
    expect(many.point).toMatchObject({ kind: 'reseed', reseedCause: 'LayoutChanged' })
    for (const { point, sha256 } of [one, many]) await expectRestorable(scene, point.id, sha256)
  }, 240_000)
})

describe('the largest disk', () => {
  test('is backed up and brought forward with a history of bounded length', async () => {
    const diskId = scene.createDisk(LARGEST_GIB)
    const data = noise(64 * KIB, seededRandom(SEED + 6))
    for (const gib of [0, 9_000, 20_000, LARGEST_GIB - 1]) await scene.azure.writeDisk(diskId, gib * GIB, data)
    const full = await scene.backUp(diskId)
    await scene.azure.writeDisk(diskId, 17_000 * GIB, data)
    const incremental = await scene.backUp(diskId)
    expect([full.point.kind, incremental.point.kind]).toEqual(['full', 'incremental'])
    expect(incremental.point).toMatchObject({ changedBytes: data.length })
    const { events, bytes } = await historyOf(diskId)
    process.stderr.write(`history of ${LARGEST_GIB} GiB: ${events} events, ${bytes} bytes as JSON\n`)
    expect(events).toBeLessThanOrEqual(MAX_EVENTS)
    expect(bytes).toBeLessThanOrEqual(2 * MIB)
  }, 240_000)
})
