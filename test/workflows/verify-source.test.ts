/** Verification against the live source snapshot before a point is sealed, where nobody else tells of the damage. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { CHUNK_BYTES } from '../../domain/digest-table.ts'
import { KIB, MIB } from '../../domain/byte-range.ts'
import { listPoints } from '../../azure/manifests.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { Fate, OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import { expectRightDigests } from '../support/check-digests.ts'
import { noise } from '../support/random-disk.ts'
import { expectRestorable } from '../support/round-trip.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
/** Of changed pages no sample: what is found is found because all of them are read. */
const SOURCE = { verify: { level: 'source', sampleChanged: 0, sampleUnchanged: 16, maxRounds: 3 } } as const

let scene: Scene
let spoil: ((call: OperationCall) => Fate | undefined) | undefined
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ blobHooks: { before: (call) => spoil?.(call) } })
})
afterAll(() => scene.close())
afterEach(() => {
  spoil = undefined
  scene.azure.changeBlobLimits({ copyChecksum: 'crc64' })
})

/** Flips one byte of what the n-th copy stores; the service tells no checksum by which that could be noticed. */
function flipInCopy(nth: number): () => number {
  scene.azure.changeBlobLimits({ copyChecksum: 'none' })
  let copies = 0
  let flipped = 0
  spoil = ({ operation, account }) => {
    if (operation !== 'PutPageFromUrl' || account !== 'backups') return undefined
    copies += 1
    if (copies !== nth) return undefined
    flipped += 1
    return { flipByteAt: 4321 }
  }
  return () => flipped
}

/** Suspect points, and the run that mended what later points share with them. */
async function suspicions(diskId: string): Promise<(string | undefined)[][]> {
  const { checks } = await listPoints(scene.clients, scene.targetUrl, { diskId })
  return [...checks.values()].flatMap(({ pointId, suspect }) => (suspect === undefined ? [] : [[pointId, suspect.mendedBy]]))
}

describe('at level source', () => {
  test('a byte that was flipped on its way into the base blob is found before the seal, and sealed is what the source holds', async () => {
    const diskId = scene.createDisk(1)
    await scene.azure.writeDisk(diskId, 0, noise(24 * MIB, seededRandom(SEED)))
    const { sha256 } = await scene.azure.digestDisk(diskId)
    const flipped = flipInCopy(1 + (SEED % 6))
    const { point } = await scene.backUp(diskId, SOURCE)
    expect(flipped()).toBe(1)
    expect(point.verification).toMatchObject({ result: 'passed', rounds: 2 })
    // All that changed, on both sides, and the footer.
    expect(point.verification.comparedBytes).toBeGreaterThan(24 * MIB)
    await expectRestorable(scene, point.id, sha256)
    await expectRightDigests(scene.clients, scene.targetUrl, (await scene.points(diskId))[0]!)
  }, 120_000)

  test('a copy that stays wrong fails the run, and no point is made', async () => {
    const diskId = scene.createDisk(1)
    await scene.azure.writeDisk(diskId, 0, noise(2 * MIB, seededRandom(SEED + 1)))
    spoil = ({ operation, account }) => (operation === 'PutPageFromUrl' && account === 'backups' ? { flipByteAt: 77 } : undefined)
    scene.azure.changeBlobLimits({ copyChecksum: 'none' })
    await expect(scene.backUp(diskId, SOURCE)).rejects.toMatchObject({ cause: { cause: undefined, type: 'VerificationFailed' } })
    expect(await scene.points(diskId)).toEqual([])
  }, 120_000)

  test('a bit that rotted in a chunk that did not change is found before the seal and mended, and older points that share it are suspect', async () => {
    const diskId = scene.createDisk(1)
    // Few stretches, each no longer than one sample: all of what did not change is read.
    const rottenAt = CHUNK_BYTES + 128 * KIB
    for (const at of [0, rottenAt, rottenAt + MIB, 3 * CHUNK_BYTES]) await scene.azure.writeDisk(diskId, at, noise(64 * KIB, seededRandom(SEED + at)))
    const { point: first } = await scene.backUp(diskId)
    const [{ baseBlob }] = (await scene.points(diskId)) as [Awaited<ReturnType<Scene['points']>>[number]]
    await scene.azure.writeDisk(diskId, 3 * CHUNK_BYTES, noise(4 * KIB, seededRandom(SEED + 2)))
    const { sha256 } = await scene.azure.digestDisk(diskId)

    await scene.azure.rotBlob({ account: 'backups', container: 'points', blob: baseBlob.name, offsetBytes: rottenAt + 999, mask: 1 << (SEED % 8) })
    const { point } = await scene.backUp(diskId, SOURCE)
    expect(point).toMatchObject({ kind: 'incremental', verification: { result: 'passed', rounds: 2 } })
    await expectRestorable(scene, point.id, sha256)
    await expectRightDigests(scene.clients, scene.targetUrl, (await scene.points(diskId))[0]!)
    expect(await suspicions(diskId)).toEqual([[first.id, point.id]])
    expect(point.mended).toEqual([{ startBytes: CHUNK_BYTES, endBytes: 2 * CHUNK_BYTES }])
  }, 120_000)
})
