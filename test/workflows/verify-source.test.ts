/** Verification against the live source snapshot before a point is sealed, where nobody else tells of the damage. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { CHUNK_BYTES } from '../../domain/digest-table.ts'
import { KIB, MIB } from '../../domain/byte-range.ts'
import { findDisk } from '../../azure/disks.ts'
import { listPoints } from '../../azure/manifests.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { Fate, OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import { expectRightDigests } from '../support/check-digests.ts'
import { noise } from '../support/random-disk.ts'
import { expectRestorable } from '../support/round-trip.ts'
import { openScene, SOURCE_REGION, type Scene } from '../support/scene.ts'
import { verifyIn } from '../support/verify.ts'

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
async function suspicions(diskId: string): Promise<Record<string, string>> {
  const { checks } = await listPoints(scene.clients, scene.targetUrl, { diskId })
  return Object.fromEntries([...checks.values()].flatMap(({ pointId, suspect }) => (suspect === undefined ? [] : [[pointId, suspect.mendedBy ?? 'not mended']])))
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
    expect(await suspicions(diskId)).toEqual({ [first.id]: point.id })
    expect(point.mended).toEqual([{ startBytes: CHUNK_BYTES, endBytes: 2 * CHUNK_BYTES }])
  }, 120_000)
})

/** No sample of anything: what the transfer made wrong is sealed wrong. */
const BLIND = { verify: { level: 'sample', sampleChanged: 0, sampleUnchanged: 0, maxRounds: 3 } } as const

const verify = (input: Parameters<typeof verifyIn>[1]): ReturnType<typeof verifyIn> => verifyIn(scene, input)

describe('a verification of a sealed point at level source', () => {
  afterEach(() => expect(scene.azure.grantedAccess()).toEqual([]))

  test('reads the point and its source snapshot, all or a sample of both, and ends its access', async () => {
    const diskId = scene.createDisk(1)
    for (const at of [0, 200 * MIB]) await scene.azure.writeDisk(diskId, at, noise(8 * MIB, seededRandom(SEED + at)))
    const { point } = await scene.backUp(diskId)
    await expect(verify({ diskId, level: 'source' })).resolves.toMatchObject({ point: { id: point.id }, choice: { kind: 'all' }, comparedBytes: 16 * MIB + 512, comparedSourceBytes: 16 * MIB + 512 })
    const sample = await verify({ diskId, level: 'source', percent: 50, seed: SEED })
    expect(sample).toMatchObject({ choice: { kind: 'sample', percent: 50, seed: SEED } })
    expect(sample.comparedSourceBytes).toBe(sample.comparedBytes)
    expect(sample.comparedSourceBytes).toBeLessThanOrEqual(16 * MIB + 512)
  }, 120_000)

  test('finds bytes that were sealed wrong with digests that agree, in all points that share them; digests do not lift it, and the next backup mends', async () => {
    const diskId = scene.createDisk(1)
    await scene.azure.writeDisk(diskId, 0, noise(24 * MIB, seededRandom(SEED + 3)))
    const nth = SEED % 6
    flipInCopy(1 + nth)
    const { point: first } = await scene.backUp(diskId, BLIND)
    spoil = undefined
    await scene.azure.writeDisk(diskId, 64 * MIB, noise(4 * KIB, seededRandom(SEED + 4)))
    const { point: second } = await scene.backUp(diskId, BLIND)
    await expect(verify({ diskId, level: 'full' })).resolves.toMatchObject({ point: { id: second.id } })

    const failure = { type: 'PointSuspect', message: expect.stringMatching(`point ${second.id} differs from its source snapshot .* at \\[\\d+, \\d+\\); marked as suspect: ${second.id}, ${first.id}`) }
    await expect(verify({ diskId, level: 'source' })).rejects.toMatchObject({ cause: failure })
    const both = { [first.id]: 'not mended', [second.id]: 'not mended' }
    expect(await suspicions(diskId)).toEqual(both)
    await verify({ pointId: second.id, level: 'full' })
    // What told of it is right, and is handed over on request.
    scene.azure.createResourceGroup({ name: 'beside', location: SOURCE_REGION })
    const toDiskId = scene.freshDiskId().replace('/restored/', '/beside/')
    const restored = await scene.restore({ pointId: second.id, allowsSuspect: true, way: 'source-snapshot', region: SOURCE_REGION, toDiskId })
    expect(await findDisk(scene.clients, toDiskId)).toMatchObject({ tags: { 'snapferry-check': 'none' } })
    expect(restored.warnings).toContainEqual(expect.stringContaining('compared with neither'))
    expect((await scene.azure.digestDisk(toDiskId)).sha256).toBe((await scene.azure.digestDisk(diskId)).sha256)
    expect(await suspicions(diskId)).toEqual(both)

    const { sha256 } = await scene.azure.digestDisk(diskId)
    const { point: third } = await scene.backUp(diskId, BLIND)
    expect(third.mended).toHaveLength(1)
    await expect(verify({ diskId, level: 'source' })).resolves.toMatchObject({ point: { id: third.id } })
    await expectRestorable(scene, third.id, sha256)
    expect(await suspicions(diskId)).toEqual({ [first.id]: third.id, [second.id]: third.id })
  }, 240_000)

  test('of a point whose source snapshot is gone is refused, and tells of the other way', async () => {
    const diskId = scene.createDisk(1)
    const { point: older } = await scene.backUp(diskId)
    await scene.backUp(diskId)
    const failure = { type: 'SourceSnapshotNotFound', message: expect.stringContaining(`of point ${older.id} is gone`) }
    await expect(verify({ pointId: older.id, level: 'source' })).rejects.toMatchObject({ cause: { cause: failure } })
    expect(await suspicions(diskId)).toEqual({})
  }, 120_000)
})
