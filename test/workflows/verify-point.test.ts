import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { WorkflowFailedError } from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import { listPoints } from '../../azure/manifests.ts'
import { KIB, MIB } from '../../domain/byte-range.ts'
import { CHUNK_BYTES, ENTRY_BYTES } from '../../domain/digest-table.ts'
import { pointBlobsOf, type Manifest } from '../../domain/manifest.ts'
import { verifyWorkflowId } from '../../domain/names.ts'
import { DEFAULT_OPTIONS, type BackupOptions } from '../../domain/policy.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { choosePoint } from '../../engine/choose-point.ts'
import type { runPolicy, verifyPoint } from '../../workflows/index.ts'
import type { VerifyPointResult } from '../../workflows/messages.ts'
import { expectRightDigests } from '../support/check-digests.ts'
import { offlineCli } from '../support/offline-cli.ts'
import { createRandomDisk, noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'
import { verifyIn } from '../support/verify.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)

let scene: Scene
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene()
})
afterAll(() => scene.close())

const verify = (input: Parameters<typeof verifyIn>[1]): ReturnType<typeof verifyIn> => verifyIn(scene, input)

/** What a verification that finds damage says. */
async function suspectsOf(verification: Promise<VerifyPointResult>): Promise<string[]> {
  const error: unknown = await verification.catch((caught: unknown) => caught)
  const cause = error instanceof WorkflowFailedError ? error.cause : error
  if (!(cause instanceof ApplicationFailure) || cause.type !== 'PointSuspect') throw cause
  return (cause.details as [{ suspects: string[] }])[0].suspects
}

/** Flips a bit of the point at an address of the disk, in the stripe that holds it: units are dealt out in turn. */
function rot(point: Manifest, offsetBytes: number): Promise<void> {
  const { stripes, baseBlob } = point
  const mask = 1 << (SEED % 8)
  if (stripes === undefined) return scene.azure.rotBlob({ account: 'backups', container: 'points', blob: baseBlob.name, snapshot: baseBlob.snapshot, offsetBytes, mask })
  const { blobs, unitBytes } = stripes
  const unit = Math.floor(offsetBytes / unitBytes)
  const { name: blob, snapshot } = blobs[unit % blobs.length]!
  const inStripeBytes = Math.floor(unit / blobs.length) * unitBytes + (offsetBytes % unitBytes)
  return scene.azure.rotBlob({ account: 'backups', container: 'points', blob, snapshot, offsetBytes: inStripeBytes, mask })
}

async function deleteTableOf({ digests }: Manifest): Promise<void> {
  await scene.clients.container(scene.targetUrl).getPageBlobClient(digests!.name).withSnapshot(digests!.snapshot).delete()
}

async function suspectIds(diskId: string): Promise<string[]> {
  const { checks } = await listPoints(scene.clients, scene.targetUrl, { diskId })
  return [...checks.values()].filter(({ suspect }) => suspect !== undefined).map(({ pointId }) => pointId).toSorted()
}

/** Four points: `shared` is in all of them from the second on, `own` is rewritten before each. */
async function fourPoints(options: Partial<BackupOptions> = {}): Promise<{ diskId: string; points: Manifest[]; sharedAt: number; ownAt: number }> {
  const diskId = scene.createDisk(1)
  const sharedAt = 40 * MIB + 64 * KIB
  const ownAt = 80 * MIB
  await createRandomDisk(scene.azure, diskId, 32 * MIB, SEED).change(10)
  for (let round = 0; round < 4; round++) {
    if (round === 1) await scene.azure.writeDisk(diskId, sharedAt, noise(64 * KIB, seededRandom(SEED)))
    await scene.azure.writeDisk(diskId, ownAt, noise(64 * KIB, seededRandom(SEED + round)))
    await scene.backUp(diskId, options)
  }
  return { diskId, points: (await scene.points(diskId)).toReversed(), sharedAt, ownAt }
}

test.each([
  [1, 'page blob'],
  [3, 'page blobs'],
])('one flipped bit of a disk over %i %s is found by a full verification, flagged on exactly the points that share it, and mended by the next run', async (stripes) => {
  const { diskId, points, sharedAt } = await fourPoints({ stripes })
  expect(points.map((point) => pointBlobsOf(point).length)).toEqual(points.map(() => stripes))
  const [first, second, third, fourth] = points as [Manifest, Manifest, Manifest, Manifest]
  await expect(verify({ pointId: third.id, level: 'full' })).resolves.toMatchObject({ level: 'full' })

  await rot(third, sharedAt + 12_345)
  const found = await suspectsOf(verify({ pointId: third.id, level: 'full' }))
  expect(found.toSorted()).toEqual([second.id, third.id, fourth.id].toSorted())
  expect(await suspectIds(diskId)).toEqual(found.toSorted())
  await expect(verify({ pointId: first.id, level: 'full' })).resolves.toMatchObject({ point: { id: first.id } })

  // The next run reads the chunk again from the source; what it seals is right.
  const { point } = await scene.backUp(diskId)
  const chunk = Math.floor(sharedAt / CHUNK_BYTES) * CHUNK_BYTES
  expect(point.mended).toEqual([{ startBytes: chunk, endBytes: chunk + CHUNK_BYTES }])
  await expect(verify({ pointId: point.id, level: 'full' })).resolves.toMatchObject({ point: { id: point.id } })
  const { sha256 } = await scene.azure.digestDisk(diskId)
  const restored = await scene.restore({ pointId: point.id })
  expect((await scene.azure.digestDisk(restored.diskId)).sha256).toBe(sha256)

  // The run after it has nothing to mend.
  const { point: later } = await scene.backUp(diskId)
  expect(later.mended).toBeUndefined()
  const newest = (await scene.points(diskId))[0]!
  await expectRightDigests(scene.clients, scene.targetUrl, newest)
  expect(await suspectIds(diskId)).toEqual(found.toSorted())
}, 300_000)

test('a bit that rotted in the digest table is found like damage of its chunk, and the next run makes the digest anew', async () => {
  const { diskId, points, sharedAt } = await fourPoints()
  const { digests, id } = points[3]!
  const chunk = Math.floor(sharedAt / CHUNK_BYTES)
  await scene.azure.rotBlob({ account: 'backups', container: 'points', blob: digests!.name, snapshot: digests!.snapshot, offsetBytes: chunk * ENTRY_BYTES + (SEED % 8) })
  expect(await suspectsOf(verify({ pointId: id, level: 'full' }))).toContain(id)
  const { point } = await scene.backUp(diskId)
  expect(point.mended).toEqual([{ startBytes: chunk * CHUNK_BYTES, endBytes: (chunk + 1) * CHUNK_BYTES }])
  await expectRightDigests(scene.clients, scene.targetUrl, (await scene.points(diskId))[0]!)
  await expect(verify({ diskId, level: 'full' })).resolves.toMatchObject({ point: { id: point.id } })
}, 200_000)

test('damage is flagged also on a point that shares it and has lost its digests', async () => {
  const { points, sharedAt } = await fourPoints()
  const [, second, third, fourth] = points as [Manifest, Manifest, Manifest, Manifest]
  await deleteTableOf(second)
  await rot(third, sharedAt)
  const found = await suspectsOf(verify({ pointId: third.id, level: 'full' }))
  expect(found.toSorted()).toEqual([second.id, third.id, fourth.id].toSorted())
}, 200_000)

test('damage in pages that only one point holds is flagged on that point alone', async () => {
  const { points, ownAt } = await fourPoints()
  await rot(points[1]!, ownAt + 777)
  expect(await suspectsOf(verify({ pointId: points[1]!.id, level: 'full' }))).toEqual([points[1]!.id])
}, 200_000)

describe('a spread verification', () => {
  test('reads each chunk within its days, and makes up for days that were missed', async () => {
    const { diskId, points, sharedAt } = await fourPoints()
    const everyDays = 5
    const read: number[] = []
    for (const day of [20_000, 20_001, 20_001, 20_004]) read.push((await verify({ diskId, level: 'full', cycle: { everyDays, day } })).comparedChunks)
    const whole = await verify({ diskId, level: 'full' })
    expect(read[2]).toBe(0)
    expect(read.reduce((sum, chunks) => sum + chunks, 0)).toBe(whole.comparedChunks)

    await rot(points[3]!, sharedAt)
    let foundAfterDays = 0
    for (let day = 20_005; foundAfterDays === 0 && day < 20_005 + everyDays; day++) {
      const outcome = await suspectsOf(verify({ diskId, level: 'full', cycle: { everyDays, day } })).catch(() => [])
      if (outcome.length > 0) foundAfterDays = day - 20_004
    }
    expect(foundAfterDays).toBeGreaterThan(0)
    expect(foundAfterDays).toBeLessThanOrEqual(everyDays)
  }, 240_000)

  test('counts for as much as it has read, and for nothing where its part of the disk is empty', async () => {
    const diskId = scene.createDisk(1)
    await scene.azure.writeDisk(diskId, 0, noise(64 * KIB, seededRandom(SEED)))
    const { point } = await scene.backUp(diskId)
    const slice = async (day: number) => (await verify({ diskId, level: 'full', cycle: { everyDays: 30, day } })).comparedBytes
    const known = async () => {
      const { checks } = await listPoints(scene.clients, scene.targetUrl, { diskId })
      return checks.get(point.id)?.verified
    }
    const choose = () => choosePoint(scene.engine, { targetUrl: scene.targetUrl, diskId, mustBeVerified: true })
    const list = async () => (await offlineCli(scene)('points', 'list', '--target', scene.targetUrl, '--disk', diskId)).stdout
    // Chunk 0 has data, and the last one the footer: 256, of the slice 16.
    expect(await slice(30 * 700 - 1)).toBe(0)
    expect(await known()).toMatchObject({ level: 'structure' })
    await expect(choose()).rejects.toMatchObject({ type: 'PointNotFound' })
    expect(await slice(30 * 700)).toBe(64 * KIB)
    await expect(choose()).resolves.toMatchObject({ check: { verified: { level: 'sample' } } })
    expect(await list()).toMatch(/ sample 3\.3 % /)
    const plan = await offlineCli(scene)('restore', 'plan', '--target', scene.targetUrl, '--disk', diskId, '--to-disk', scene.freshDiskId(), '--region', TARGET_REGION)
    expect(plan.stdout).toMatch(/^checked .*3\.3 % of the bytes/m)
    await verify({ diskId, level: 'full' })
    expect(await slice(30 * 700 + 1)).toBe(0)
    expect(await slice(30 * 700 + 30)).toBe(64 * KIB + 512)
    expect(await known()).toMatchObject({ level: 'full' })
    expect(await list()).toMatch(/ full /)
  }, 120_000)
})

test('a policy starts what is due of each disk, and does not wait for it', async () => {
  const diskId = scene.createDisk(1)
  await createRandomDisk(scene.azure, diskId, 32 * MIB, SEED + 9).change(10)
  const policy = {
    name: 'nightly',
    targetUrl: scene.targetUrl,
    diskIds: [diskId],
    options: DEFAULT_OPTIONS,
    maxConcurrentDisks: 1,
    verification: { level: 'full', everyDays: 1 },
  } as const
  const { disks } = await scene.client.workflow.execute<typeof runPolicy>('runPolicy', {
    taskQueue: `${scene.taskQueuePrefix}-control`,
    workflowId: `policy-${scene.taskQueuePrefix}`,
    args: [{ policy }],
  })
  const verification = scene.client.workflow.getHandle<typeof verifyPoint>(verifyWorkflowId(scene.targetUrl, { diskId }))
  await expect(verification.result()).resolves.toMatchObject({ point: { id: disks[0]!.pointId } })
  const { points, checks } = await listPoints(scene.clients, scene.targetUrl, { diskId })
  expect(checks.get(points[0]!.id)?.verified?.comparedBytes).toBeGreaterThan(0)
}, 120_000)

describe('a suspect point', () => {
  test('is refused, and passed over when the newest is meant', async () => {
    const { diskId, points, ownAt } = await fourPoints()
    const [, , third, fourth] = points as [Manifest, Manifest, Manifest, Manifest]
    await rot(fourth, ownAt)
    await suspectsOf(verify({ diskId, level: 'full' }))
    await expect(scene.restore({ pointId: fourth.id })).rejects.toMatchObject({ cause: { cause: { type: 'PointSuspect' } } })
    await expect(scene.restore({ diskId })).resolves.toMatchObject({ point: { id: third.id } })
  }, 240_000)
})
