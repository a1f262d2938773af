/** Scattered changes: gaps are copied along where that is cheaper, and the proof of the run knows of them. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { secondsAtLimit } from '../../domain/blob-budget.ts'
import { KIB, MIB } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const RANGES = 6_000
const STRIDE_BYTES = 20 * KIB

let scene: Scene
const hooks: { before?: (call: OperationCall) => Promise<void> | void } = {}
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ blobHooks: { before: (call) => hooks.before?.(call) } })
})
afterAll(() => scene?.close())
beforeEach(() => {
  delete hooks.before
})

/** A disk with a point, and since then a change of 4 KiB in each 20 KiB of what it holds, with holes in between. */
async function changedDisk(): Promise<{ diskId: string; sha256: string }> {
  const random = seededRandom(SEED)
  const diskId = scene.createDisk(1)
  const data = noise(4 * MIB, random)
  for (let atBytes = 0; atBytes < RANGES * STRIDE_BYTES; atBytes += 4 * MIB) await scene.azure.writeDisk(diskId, atBytes, data)
  for (let index = 0; index < RANGES; index += 500) scene.azure.clearDisk(diskId, index * STRIDE_BYTES + 8 * KIB, 512)
  await scene.backUp(diskId)
  const change = noise(4 * KIB, random)
  for (let index = 0; index < RANGES; index++) await scene.azure.writeDisk(diskId, index * STRIDE_BYTES, change)
  return { diskId, sha256: (await scene.azure.digestDisk(diskId)).sha256 }
}

async function expectProvenPoint(diskId: string, sha256: string): Promise<void> {
  const [manifest] = await scene.points(diskId)
  expect(manifest).toMatchObject({ kind: 'incremental', changedBytes: RANGES * 4 * KIB, verification: { rounds: 1 } })
  expect(manifest!.requests).toBeLessThan(RANGES / 5)
  // By the two budgets of a blob sooner done than with all gaps filled, or with none.
  const seconds = secondsAtLimit(manifest!.movedBytes, manifest!.requests)
  expect(seconds).toBeLessThan(secondsAtLimit(RANGES * STRIDE_BYTES, 0))
  expect(seconds).toBeLessThan(secondsAtLimit(0, RANGES))
  expect(manifest!.verification.writtenBytes).toBeGreaterThan(manifest!.changedBytes)
  const { diskId: restored } = await scene.restore({ pointId: manifest!.id })
  expect((await scene.azure.digestDisk(restored)).sha256).toBe(sha256)
}

test('go over in few requests, are proven in one round, and restored byte for byte', async () => {
  const { diskId, sha256 } = await changedDisk()
  const { point } = await scene.backUp(diskId)
  expect(point.verification.writtenBytes).toBe(point.movedBytes)
  await expectProvenPoint(diskId, sha256)
}, 240_000)

test('do so also when the access dies in mid-run and the transfer goes on from its watermark', async () => {
  const { diskId, sha256 } = await changedDisk()
  let copies = 0
  hooks.before = ({ operation }) => {
    if (operation !== 'PutPageFromUrl' || ++copies !== 10) return
    for (const { id, access } of scene.azure.grantedAccess()) if (access === 'Read') scene.azure.withdrawAccess(id)
  }
  await scene.backUp(diskId)
  await expectProvenPoint(diskId, sha256)
}, 240_000)
