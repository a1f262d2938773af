/** Azure's own snapshot copy as the mover: the same points, retention and care, and Azure's rules kept. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Snapshot } from '@azure/arm-compute'
import { listPoints } from '../../azure/manifests.ts'
import { GIB, MIB } from '../../domain/byte-range.ts'
import { readRunState } from '../../client/run-state.ts'
import { isCopied, type CopiedManifest } from '../../domain/manifest.ts'
import type { BackupOptions } from '../../domain/policy.ts'
import { newestFirst, type CopiedPoint } from '../../domain/recovery-point.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { StorageError } from '../../simulator/blob-service/storage-error.ts'
import type { OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import type { TemporalLink } from '../../temporal/connect.ts'
import type { BackupDiskResult } from '../../workflows/messages.ts'
import { offlineCli } from '../support/offline-cli.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, SOURCE_REGION, TARGET_REGION, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const PLACE = { resourceGroup: 'copies', region: TARGET_REGION }
const OPTIONS: Partial<BackupOptions> = { copyStart: PLACE, retention: { keepLast: 10 } }

let scene: Scene
let seed = SEED
let before: ((call: OperationCall) => void) | undefined
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ blobHooks: { before: (call) => before?.(call) } })
  scene.azure.createResourceGroup({ name: 'copies', location: TARGET_REGION })
})
afterAll(() => scene?.close())
beforeEach(() => void scene.azure.changeSettings({ regionCopyMs: 0 }))
afterEach(() => expect(scene.azure.grantedAccess()).toEqual([]))

async function change(diskId: string): Promise<string> {
  seed += 1
  await scene.azure.writeDisk(diskId, (seed % 64) * MIB, noise(MIB, seededRandom(seed)))
  return (await scene.azure.digestDisk(diskId)).sha256
}

async function backUp(diskId: string, options: Partial<BackupOptions> = {}): Promise<CopiedPoint> {
  const result = (await scene.backUp(diskId, { ...OPTIONS, ...options })) as unknown as BackupDiskResult<CopiedPoint>
  return result.point
}

async function pointsOf(diskId: string): Promise<CopiedManifest[]> {
  const { points, damaged } = await listPoints(scene.clients, scene.targetUrl, { diskId })
  expect(damaged).toEqual([])
  return newestFirst(points.filter(isCopied))
}

async function snapshotsIn(resourceGroup: string, diskName: string): Promise<Snapshot[]> {
  const found: Snapshot[] = []
  for await (const snapshot of scene.clients.compute(scene.azure.subscriptionId).snapshots.listByResourceGroup(resourceGroup)) {
    if (snapshot.name?.includes(`-${diskName}-`)) found.push(snapshot)
  }
  return found
}

const names = async (resourceGroup: string, diskName: string): Promise<(string | undefined)[]> =>
  (await snapshotsIn(resourceGroup, diskName)).map(({ name }) => name)

/** Waits for Azure's side to show something. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 100))
}

test('points are full and then incremental, each a copied snapshot with the bytes of its instant', async () => {
  const diskId = scene.createDisk(1, 'chain')
  const made: { point: CopiedPoint; sha256: string }[] = []
  for (let round = 0; round < 3; round++) {
    const sha256 = await change(diskId)
    made.push({ point: await backUp(diskId), sha256 })
  }
  expect(made.map(({ point }) => point.kind)).toEqual(['full', 'incremental', 'incremental'])
  for (const { point, sha256 } of made) {
    expect(point).toMatchObject({ verification: { result: 'passed' }, copiedSnapshot: { location: TARGET_REGION } })
    expect(point.verification.comparedBytes).toBeGreaterThan(0)
    expect((await scene.azure.digestDisk(point.copiedSnapshot.id)).sha256).toBe(sha256)
  }
  const listed = await pointsOf(diskId)
  expect(listed.map(({ id }) => id)).toEqual(made.map(({ point }) => point.id).reverse())
  // Only the source that the next copy follows is kept, and only changes were moved by Azure.
  expect(await names('source', 'chain')).toEqual([listed[0]!.source.snapshotId.replace(/^.*\//, '')])
  const moved = scene.azure.usage().find(({ id }) => id === made[2]!.point.copiedSnapshot.id)?.movedBytes
  expect(moved).toBe(MIB)
  const cli = offlineCli(scene)
  const { stdout } = await cli('points', 'list', '--target', scene.targetUrl, '--disk', diskId)
  expect(stdout).toContain('incremental, copy-start')
}, 240_000)

test.each(['an older', 'the new'])('%s point whose manifest is there, and once answered by 404, keeps its copied snapshot', async (which) => {
  const diskId = scene.createDisk(1)
  const older = await backUp(diskId)
  await change(diskId)
  let isSealed = false
  const refused: string[] = []
  before = ({ operation, blob }) => {
    if (!/\/points\/[^/]+\.json$/.test(blob)) return
    if (operation === 'PutBlob') isSealed = true
    if (operation !== 'GetBlob' || !isSealed || refused.length > 0 || blob.includes(older.id) !== (which === 'an older')) return
    refused.push(blob)
    throw new StorageError('BlobNotFound')
  }
  const newer = await backUp(diskId)
  before = undefined
  expect(refused).toHaveLength(1)
  await change(diskId)
  const last = await backUp(diskId)
  expect((await pointsOf(diskId)).map(({ id }) => id)).toEqual([last.id, newer.id, older.id])
}, 240_000)

test('retention takes the manifest and the copied snapshot of old points, and nothing else', async () => {
  const diskId = scene.createDisk(1, 'kept')
  const compute = scene.clients.compute(scene.azure.subscriptionId)
  const points: CopiedPoint[] = []
  for (let round = 0; round < 3; round++) {
    await change(diskId)
    points.push(await backUp(diskId, { retention: { keepLast: 2 } }))
    if (round > 0) continue
    // One that looks alike and is not ours.
    const creationData = { createOption: 'Copy', sourceResourceId: diskId } as const
    await compute.snapshots.createOrUpdate('source', 'other-kept-tool', { location: SOURCE_REGION, incremental: true, creationData })
  }
  expect((await pointsOf(diskId)).map(({ id }) => id)).toEqual([points[2]!.id, points[1]!.id])
  expect(new Set(await names('copies', 'kept'))).toEqual(
    new Set(points.slice(1).map(({ copiedSnapshot }) => copiedSnapshot.id.replace(/^.*\//, ''))),
  )
  expect(await names('source', 'kept')).toHaveLength(2)
}, 240_000)

test('a copied snapshot whose manifest Azure will not read is left alone, and retention goes on with the others', async () => {
  const diskId = scene.createDisk(1, 'archived')
  const points: CopiedPoint[] = []
  let rule = ''
  for (let round = 0; round < 3; round++) {
    await change(diskId)
    points.push(await backUp(diskId, { retention: { keepLast: 1 } }))
    if (round > 0) continue
    rule = scene.azure.faults.add({ operation: 'GetBlob', resource: `*/${points[0]!.id}.json`, effect: { kind: 'status', status: 409, code: 'BlobArchived' } })
  }
  scene.azure.faults.remove(rule)
  expect((await pointsOf(diskId)).map(({ id }) => id)).toEqual([points[2]!.id, points[0]!.id])
}, 240_000)

test('source snapshots are not left in the resource group that a policy had before, whoever moves the bytes', async () => {
  scene.azure.createResourceGroup({ name: 'elsewhere', location: SOURCE_REGION })
  const [copied, ferried] = [scene.createDisk(1, 'moved'), scene.createDisk(1, 'restriped')]
  await change(copied)
  await backUp(copied)
  await backUp(copied, { snapshotResourceGroup: 'elsewhere' })
  expect([await names('source', 'moved'), await names('elsewhere', 'moved')]).toEqual([[], [expect.anything()]])

  // As the number of stripes changes, the run reads nothing of its cursor.
  await change(ferried)
  await scene.backUp(ferried)
  await scene.backUp(ferried, { stripes: 2, snapshotResourceGroup: 'elsewhere' })
  expect([await names('source', 'restriped'), await names('elsewhere', 'restriped')]).toEqual([[], [expect.anything()]])
}, 120_000)

test('a SAS that a run could not revoke on its copy is revoked by the next run', async () => {
  const diskId = scene.createDisk(1, 'refused')
  await change(diskId)
  const rule = scene.azure.faults.add({ operation: 'Snapshots_RevokeAccess', effect: { kind: 'status', status: 403 } })
  const { copiedSnapshot } = await backUp(diskId)
  scene.azure.faults.remove(rule)
  const granted = (): string[] => scene.azure.grantedAccess().map(({ id }) => id.toLowerCase())
  expect(granted()).toContain(copiedSnapshot.id.toLowerCase())
  await change(diskId)
  await backUp(diskId)
  expect(granted()).toEqual([])
}, 120_000)

test('a disk that was backed up to a base blob keeps its cursor when Azure copies, and the other way round', async () => {
  const diskId = scene.createDisk(1, 'both')
  await change(diskId)
  await scene.backUp(diskId)
  await change(diskId)
  await backUp(diskId)
  await change(diskId)
  expect((await scene.backUp(diskId)).point.kind).toBe('incremental')
  await change(diskId)
  expect((await backUp(diskId)).kind).toBe('incremental')
  expect(await scene.points(diskId)).toHaveLength(2)
  expect(await pointsOf(diskId)).toHaveLength(2)
  expect(await names('source', 'both')).toHaveLength(2)
}, 240_000)

test('the source stays until the copy is complete, which is waited for, and status says how far it is', async () => {
  scene.azure.changeSettings({ regionCopyMs: 8_000 })
  const diskId = scene.createDisk(1, 'slow')
  const sha256 = await change(diskId)
  const run = await scene.startBackup(diskId, OPTIONS)
  await until(async () => (await snapshotsIn('copies', 'slow')).length > 0)
  expect(await names('source', 'slow')).toHaveLength(1)
  const link = { client: scene.client, connection: scene.client.connection } as TemporalLink
  await until(async () => ((await readRunState(link, run.workflowId)).copyPercent ?? 0) > 0)
  const { point } = (await run.result()) as BackupDiskResult<CopiedPoint>
  expect((await snapshotsIn('copies', 'slow'))[0]).toMatchObject({ completionPercent: 100 })
  expect((await scene.azure.digestDisk(point.copiedSnapshot.id)).sha256).toBe(sha256)
}, 120_000)

test('while Azure copies as many to the region as it will, a run waits for its turn', async () => {
  scene.azure.changeSettings({ regionCopyMs: 6_000, copiesPerRegion: 1 })
  const [first, second] = [scene.createDisk(1, 'turn-one'), scene.createDisk(1, 'turn-two')]
  await change(first)
  await change(second)
  const [one, two] = await Promise.all([backUp(first), backUp(second)])
  expect([one.kind, two.kind]).toEqual(['full', 'full'])
  scene.azure.changeSettings({ copiesPerRegion: 100 })
}, 120_000)

describe('a run that makes no point', () => {
  test('since its source was deleted in the middle of the copy says so, and takes back what it made', async () => {
    scene.azure.changeSettings({ regionCopyMs: 60_000 })
    const diskId = scene.createDisk(1, 'broken')
    await change(diskId)
    const run = await scene.startBackup(diskId, OPTIONS)
    await until(async () => (await snapshotsIn('copies', 'broken')).length > 0)
    const [source] = await snapshotsIn('source', 'broken')
    scene.azure.deleteSnapshot(source?.id ?? '')
    const failure = await run.result().then(() => undefined, (error: unknown) => error)
    expect(((failure as Error).cause as { cause?: Error }).cause?.message).toContain('CopySourceNotFound')
    expect(await names('copies', 'broken')).toEqual([])
    expect(await pointsOf(diskId)).toEqual([])
    scene.azure.changeSettings({ regionCopyMs: 0 })
    expect((await backUp(diskId)).kind).toBe('full')
  }, 120_000)

  test('since it was cancelled takes back copy and source', async () => {
    scene.azure.changeSettings({ regionCopyMs: 60_000 })
    const diskId = scene.createDisk(1, 'cancelled')
    await change(diskId)
    const run = await scene.startBackup(diskId, OPTIONS)
    await until(async () => (await snapshotsIn('copies', 'cancelled')).length > 0)
    await scene.client.workflow.getHandle(run.workflowId).cancel()
    await expect(run.result()).rejects.toThrow()
    expect(await names('copies', 'cancelled')).toEqual([])
    expect(await names('source', 'cancelled')).toEqual([])
  }, 120_000)
})

test('a point whose copied snapshot was deleted is told of as damaged', async () => {
  const diskId = scene.createDisk(1, 'gone')
  await change(diskId)
  const { copiedSnapshot } = await backUp(diskId)
  scene.azure.deleteSnapshot(copiedSnapshot.id)
  const { points, damaged } = await listPoints(scene.clients, scene.targetUrl, { diskId })
  expect(points).toEqual([])
  expect(damaged).toMatchObject([{ reason: `snapshot ${copiedSnapshot.id} is gone` }])
}, 120_000)

test('a point whose data cannot be read becomes a disk in the region of its copy alone; elsewhere it is refused before anything is made', async () => {
  const { id: diskId } = scene.azure.createDisk({ name: 'sectors', sizeGib: 4, sku: 'UltraSSD_LRS', resourceGroup: 'source', location: SOURCE_REGION, zones: ['1'] })
  const { id: pointId, verification } = await backUp(diskId)
  expect(verification.result).toBe('none')
  const { resourceId } = await scene.restore({ pointId, region: TARGET_REGION })
  expect(await scene.azure.digestDisk(resourceId)).toEqual(await scene.azure.digestDisk(diskId))

  const why = `it becomes a disk in ${TARGET_REGION} and subscription ${scene.azure.subscriptionId} alone`
  const failure: unknown = await scene.restore({ pointId, region: SOURCE_REGION }).catch((error: unknown) => error)
  expect(failure).toMatchObject({ cause: { cause: { type: 'InvalidArgument', message: expect.stringContaining(why) } } })
  const cli = offlineCli(scene)
  const of = ['--target', scene.targetUrl, '--point', pointId]
  const elsewhere = ['--to-disk', scene.freshDiskId(), '--region', SOURCE_REGION]
  const file = join(tmpdir(), `snapferry-${pointId}.vhd`)
  for (const words of [['restore', 'plan', ...of, ...elsewhere], ['rescue', 'restore', ...of, ...elsewhere, '--yes'], ['rescue', 'export', ...of, '--file', file]]) {
    const { exitCode, stderr } = await cli(...words)
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(why) })
  }
  expect(existsSync(file)).toBe(false)
}, 120_000)

describe('a point that Azure copied', () => {
  let point: CopiedPoint
  let sha256: string
  beforeAll(async () => {
    const diskId = scene.createDisk(1, 'restorable')
    await change(diskId)
    sha256 = await change(diskId)
    point = await backUp(diskId)
    scene.azure.deleteDisk(diskId)
    for (const { id } of await snapshotsIn('source', 'restorable')) scene.azure.deleteSnapshot(id ?? '')
  }, 120_000)

  const holds = async (diskId: string): Promise<string> => (await scene.azure.digestDisk(diskId)).sha256

  test('becomes a disk at once in its region, compared with the snapshot', async () => {
    const { resourceId, movedBytes, comparedBytes } = await scene.restore({ pointId: point.id, region: TARGET_REGION })
    expect(movedBytes).toBe(0)
    expect(comparedBytes).toBeGreaterThan(0)
    expect(await holds(resourceId)).toBe(sha256)
  }, 120_000)

  test('is uploaded from its export into any other region', async () => {
    const { resourceId, movedBytes } = await scene.restore({ pointId: point.id, region: SOURCE_REGION })
    expect(movedBytes).toBeGreaterThan(0)
    expect(await holds(resourceId)).toBe(sha256)
  }, 120_000)

  test('loses its SAS in an upload, which takes a new one and leaves that of its disk alone', async () => {
    scene.azure.changeSettings({ secondGrant: 'refuse' })
    let copies = 0
    before = ({ operation }) => {
      if (operation === 'PutPageFromUrl' && (copies += 1) === 2) scene.azure.withdrawAccess(point.copiedSnapshot.id)
    }
    const grantsBefore = scene.azure.stats().compute['Disks_GrantAccess'] ?? 0
    try {
      const { resourceId } = await scene.restore({ pointId: point.id, region: SOURCE_REGION })
      expect(await holds(resourceId)).toBe(sha256)
    } finally {
      before = undefined
      scene.azure.changeSettings({ secondGrant: 'same' })
    }
    expect(copies).toBeGreaterThan(2)
    expect((scene.azure.stats().compute['Disks_GrantAccess'] ?? 0) - grantsBefore).toBe(1)
  }, 60_000)

  test('of a large disk is uploaded in extents, which share one SAS', async () => {
    const diskId = scene.createDisk(140, 'large')
    // One extent is done long before the others.
    const [short, long] = [noise(MIB, seededRandom(SEED)), noise(48 * MIB, seededRandom(SEED + 1))]
    await scene.azure.writeDisk(diskId, 0, short)
    await scene.azure.writeDisk(diskId, 139 * GIB, long)
    const { id } = await backUp(diskId)
    const { resourceId, movedBytes } = await scene.restore({ pointId: id, region: SOURCE_REGION })
    expect(movedBytes).toBeGreaterThanOrEqual(short.length + long.length)
    expect((await scene.azure.readDisk(resourceId, 0, short.length)).equals(short)).toBe(true)
    expect((await scene.azure.readDisk(resourceId, 139 * GIB, long.length)).equals(long)).toBe(true)
  }, 120_000)

  test('is shown, restored and exported with no Temporal', async () => {
    const cli = offlineCli(scene)
    const of = ['--target', scene.targetUrl, '--point', point.id]
    expect((await cli('rescue', 'show', ...of)).stdout).toContain(`snapshot ${point.copiedSnapshot.id} in ${TARGET_REGION}`)
    const toDiskId = scene.freshDiskId()
    const restored = await cli('rescue', 'restore', ...of, '--to-disk', toDiskId, '--region', TARGET_REGION, '--yes')
    expect({ code: restored.exitCode, said: restored.stderr }).toMatchObject({ code: 0 })
    expect(await holds(toDiskId)).toBe(sha256)
    const file = join(await mkdtemp(join(tmpdir(), 'snapferry-copy-')), 'disk.vhd')
    const exported = await cli('rescue', 'export', ...of, '--file', file)
    expect({ code: exported.exitCode, said: exported.stderr }).toMatchObject({ code: 0 })
    const page = (await readFile(file)).subarray((seed % 64) * MIB, (seed % 64) * MIB + MIB)
    expect(page.equals(await scene.azure.readDisk(toDiskId, (seed % 64) * MIB, MIB))).toBe(true)
    await rm(dirname(file), { recursive: true })
  }, 240_000)
})
