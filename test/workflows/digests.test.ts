import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { defaultPayloadConverter } from '@temporalio/common'
import { GIB, KIB, MIB, PAGE_BYTES } from '../../domain/byte-range.ts'
import { backupWorkflowId } from '../../domain/names.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { DigestReport } from '../../engine/digest-step.ts'
import { createRandomDisk, noise } from '../support/random-disk.ts'
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

/** What the digest step of a disk's last run reported. */
async function lastReport(diskId: string): Promise<DigestReport> {
  const { events = [] } = await scene.client.workflow.getHandle(backupWorkflowId(diskId, scene.targetUrl)).fetchHistory()
  const scheduled = events?.find((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'updateDigests')
  const completed = events?.find((event) => event.activityTaskCompletedEventAttributes?.scheduledEventId?.toString() === scheduled?.eventId?.toString())
  const [payload] = completed?.activityTaskCompletedEventAttributes?.result?.payloads ?? []
  return defaultPayloadConverter.fromPayload<DigestReport>(payload!)
}

test('an incremental reads what it replaced, and writes the pages of the table that changed', async () => {
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(8 * MIB, seededRandom(SEED + 2)))
  await scene.backUp(diskId)
  expect(await lastReport(diskId)).toMatchObject({ readBytes: 0, basis: 'service-checksum', isRebuilt: false })

  await scene.azure.writeDisk(diskId, MIB, noise(64 * KIB, seededRandom(SEED + 3)))
  await scene.backUp(diskId)
  // The chunk of the change and that of the footer, in two pages of the table.
  const report = await lastReport(diskId)
  expect(report).toMatchObject({ changedChunks: 2, readBytes: 64 * KIB, basis: 'service-checksum' })
  expect(report.writtenBytes).toBeLessThanOrEqual(2 * PAGE_BYTES)
  await expectRightDigests(scene.clients, scene.targetUrl, (await scene.points(diskId))[0]!)
}, 120_000)

describe('where the storage service tells', () => {
  afterEach(() => {
    scene.azure.changeBlobLimits({ copyChecksum: 'crc64' })
  })

  async function backUpTold(copyChecksum: 'none' | 'other'): Promise<DigestReport> {
    const diskId = scene.createDisk(1)
    scene.azure.changeBlobLimits({ copyChecksum })
    await scene.azure.writeDisk(diskId, 0, noise(12 * MIB, seededRandom(SEED + 6)))
    await scene.backUp(diskId)
    for (const point of await scene.points(diskId)) await expectRightDigests(scene.clients, scene.targetUrl, point)
    return lastReport(diskId)
  }

  test('no checksum of what it wrote, the digests are read back', async () => {
    expect(await backUpTold('none')).toMatchObject({ basis: 'target-read', probedBytes: 0 })
  }, 120_000)

  test('a checksum of another kind, that is noticed, and the digests are read back', async () => {
    const { basis, probedBytes } = await backUpTold('other')
    expect(basis).toBe('target-read')
    expect(probedBytes).toBeGreaterThan(0)
  }, 120_000)

  test('the checksums, one chunk for each GiB that was written is read back to see that they are', async () => {
    const diskId = scene.createDisk(2)
    await scene.azure.writeDisk(diskId, 0, noise(12 * MIB, seededRandom(SEED + 7)))
    await scene.azure.writeDisk(diskId, GIB, noise(12 * MIB, seededRandom(SEED + 8)))
    await scene.backUp(diskId)
    expect(await lastReport(diskId)).toMatchObject({ basis: 'service-checksum', readBytes: 0, probedBytes: 4 * MIB })
  }, 120_000)
})

test('a table that was deleted is made anew by the next run, from what the base blob holds', async () => {
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(8 * MIB, seededRandom(SEED + 4)))
  await scene.backUp(diskId)
  const [first] = await scene.points(diskId)
  await scene.clients.container(scene.targetUrl).getPageBlobClient(first!.digests!.name).delete({ deleteSnapshots: 'include' })

  await scene.azure.writeDisk(diskId, MIB, noise(64 * KIB, seededRandom(SEED + 5)))
  await scene.backUp(diskId)
  expect(await lastReport(diskId)).toMatchObject({ isRebuilt: true, basis: 'target-read' })
  const [second] = await scene.points(diskId)
  await expectRightDigests(scene.clients, scene.targetUrl, second!)
}, 120_000)
