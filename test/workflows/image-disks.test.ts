/**
 * Disks whose last chunk of 4 MiB holds bytes of the disk and the VHD footer, as that of nearly every OS disk does: one that was made of
 * a marketplace image has 1 or 2 MiB beyond whole GiB.
 */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { listPoints } from '../../azure/manifests.ts'
import { findDisk } from '../../azure/disks.ts'
import { GIB, KIB, MIB } from '../../domain/byte-range.ts'
import { drillWorkflowId } from '../../domain/names.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { RecoveryPoint } from '../../domain/recovery-point.ts'
import { exportToFile } from '../../engine/export-file.ts'
import { findRestoreSource } from '../../engine/restore-source.ts'
import type { drillRestore } from '../../workflows/index.ts'
import type { Fate, OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import { StorageError } from '../../simulator/blob-service/storage-error.ts'
import { expectRightDigests } from '../support/check-digests.ts'
import { noise } from '../support/random-disk.ts'
import { backUpChanged, expectRestorable } from '../support/round-trip.ts'
import { openScene, SOURCE_REGION, TARGET_REGION, type Scene } from '../support/scene.ts'
import { verifyIn } from '../support/verify.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const SIZE_BYTES = GIB + MIB
const LAST = { startBytes: SIZE_BYTES - 64 * KIB, lengthBytes: 64 * KIB }

let scene: Scene
let before: ((call: OperationCall) => Fate | undefined) | undefined
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ blobHooks: { before: (call) => before?.(call) } })
  for (const [name, location] of [['restored', TARGET_REGION], ['drills', TARGET_REGION], ['copies', TARGET_REGION], ['beside', SOURCE_REGION]] as const) {
    scene.azure.createResourceGroup({ name, location })
  }
})
afterAll(() => scene?.close())
afterEach(() => {
  before = undefined
  expect(scene.azure.grantedAccess()).toEqual([])
})

function createImageDisk(name: string): string {
  return scene.azure.createDisk({ name, sizeGib: 1, extraMib: 1, resourceGroup: 'source', location: SOURCE_REGION }).id
}

let changes = 0
/** The last bytes of the disk, and some others. */
async function backUpChangedEnd(diskId: string, stripes: number): Promise<{ point: RecoveryPoint; sha256: string }> {
  changes += 1
  await scene.azure.writeDisk(diskId, LAST.startBytes, noise(LAST.lengthBytes, seededRandom(SEED + changes)))
  return backUpChanged(scene, diskId, SEED + changes, { stripes })
}

const besideId = (): string => scene.freshDiskId().replace('/restored/', '/beside/')
const storageAccountId = (): string => `/subscriptions/${scene.azure.subscriptionId}/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/backups`

const isReadOfDisk = ({ account, operation }: OperationCall): boolean => account.startsWith('md-') && operation.startsWith('Get')
const isUploading = (): boolean => scene.azure.grantedAccess().some(({ access }) => access === 'Write')

/** As of a SAS that lets write alone. */
function refuseReadsOfUpload(call: OperationCall): undefined {
  if (isUploading() && isReadOfDisk(call)) throw new StorageError('AuthorizationPermissionMismatch')
}

const verify = (input: Parameters<typeof verifyIn>[1]): ReturnType<typeof verifyIn> => verifyIn(scene, input)

async function suspects(diskId: string): Promise<string[]> {
  const { checks } = await listPoints(scene.clients, scene.targetUrl, { diskId })
  return [...checks.values()].filter(({ suspect }) => suspect !== undefined).map(({ pointId }) => pointId)
}

describe.each([1, 2])('a disk of 1 GiB and 1 MiB over %i page blobs', (stripes) => {
  let diskId: string
  let older: { point: RecoveryPoint; sha256: string }
  let newer: { point: RecoveryPoint; sha256: string }
  beforeAll(async () => {
    diskId = createImageDisk(`of-an-image-${stripes}`)
    older = await backUpChangedEnd(diskId, stripes)
    newer = await backUpChangedEnd(diskId, stripes)
  }, 120_000)

  test('has a full and an incremental point with right digests', async () => {
    expect([older.point, newer.point]).toMatchObject([
      { kind: 'full', sizeBytes: SIZE_BYTES },
      { kind: 'incremental', sizeBytes: SIZE_BYTES },
    ])
    for (const point of await scene.points(diskId)) await expectRightDigests(scene.clients, scene.targetUrl, point)
  })

  test.each([
    ['that can be read', undefined],
    ['that lets write alone', refuseReadsOfUpload],
  ])('is restored by an upload %s', async (_what, refuse) => {
    before = refuse
    for (const { point, sha256 } of [older, newer]) await expectRestorable(scene, point.id, sha256)
  }, 120_000)

  test('is restored from its source snapshot', async () => {
    const { resourceId } = await scene.restore({ diskId, way: 'source-snapshot', region: SOURCE_REGION, toDiskId: besideId() })
    expect((await scene.azure.digestDisk(resourceId)).sha256).toBe(newer.sha256)
    expect(await findDisk(scene.clients, resourceId)).toMatchObject({ sizeBytes: SIZE_BYTES, tags: { 'snapferry-check': 'passed' } })
  }, 120_000)

  test('passes a verification of every level', async () => {
    for (const level of ['sample', 'full', 'source'] as const) await expect(verify({ diskId, level })).resolves.toMatchObject({ point: { id: newer.point.id } })
    expect(await suspects(diskId)).toEqual([])
  }, 120_000)

  test('passes a drill', async () => {
    const rule = { region: TARGET_REGION, resourceGroup: 'drills', point: 'newest', disks: 'one', timeoutMinutes: 10, alertAfterMs: 3_600_000 } as const
    const drilled = scene.client.workflow.execute<typeof drillRestore>('drillRestore', {
      taskQueue: `${scene.taskQueuePrefix}-control`,
      workflowId: drillWorkflowId(diskId, scene.targetUrl),
      args: [{ targetUrl: scene.targetUrl, diskId, rule }],
    })
    await expect(drilled).resolves.toMatchObject({ verdict: 'passed', comparedWith: 'digests' })
  }, 120_000)

  test('is exported with its last bytes and its footer', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'snapferry-image-disks-'))
    const path = join(folder, 'disk.vhd')
    const source = await findRestoreSource(scene.engine, { targetUrl: scene.targetUrl, pointId: newer.point.id })
    await exportToFile(scene.engine, source, { path })
    const file = await open(path)
    expect((await file.stat()).size).toBe(SIZE_BYTES + 512)
    const end = Buffer.alloc(LAST.lengthBytes + 512)
    await file.read(end, 0, end.length, LAST.startBytes)
    await file.close()
    expect(end.subarray(0, LAST.lengthBytes).equals(await scene.azure.readDisk(diskId, LAST.startBytes, LAST.lengthBytes))).toBe(true)
    expect(end.toString('latin1', LAST.lengthBytes, LAST.lengthBytes + 8)).toBe('conectix')
    await rm(folder, { recursive: true })
  }, 120_000)

  test('is not handed over when one byte of its last chunk is wrong', async () => {
    let spoiled = 0
    before = (call) => {
      refuseReadsOfUpload(call)
      const [, first = ''] = /^bytes=(\d+)-/.exec(call.request.header('x-ms-range') ?? call.request.header('range') ?? '') ?? []
      if (!isUploading() || !call.operation.startsWith('PutPage') || Number(first) < GIB || call.bytes <= 512) return undefined
      spoiled += 1
      return { flipByteAt: 700 }
    }
    const toDiskId = scene.freshDiskId()
    await expect(scene.restore({ pointId: newer.point.id, toDiskId })).rejects.toMatchObject({ cause: { type: 'VerificationFailed' } })
    expect(spoiled).toBeGreaterThan(0)
    expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()
  }, 120_000)

  test('grows, and stays right', async () => {
    scene.azure.growDisk(diskId, 2)
    await scene.azure.writeDisk(diskId, SIZE_BYTES + 512, noise(4 * KIB, seededRandom(SEED)))
    const grown = await backUpChanged(scene, diskId, SEED, { stripes })
    expect(grown.point).toMatchObject({ kind: 'incremental', sizeBytes: 2 * GIB })
    for (const point of await scene.points(diskId)) await expectRightDigests(scene.clients, scene.targetUrl, point)
    await expect(verify({ diskId, level: 'source' })).resolves.toMatchObject({ point: { id: grown.point.id } })
    for (const { point, sha256 } of [older, newer, grown]) await expectRestorable(scene, point.id, sha256)
  }, 120_000)
})

test('it is restored by an import', async () => {
  const diskId = createImageDisk('imported')
  const { sha256 } = await backUpChangedEnd(diskId, 1)
  const { resourceId } = await scene.restore({ diskId, way: 'import', storageAccountId: storageAccountId() })
  expect((await scene.azure.digestDisk(resourceId)).sha256).toBe(sha256)
}, 120_000)

test.each([
  ['has the same size', 1],
  ['has grown', 2],
])('a byte of its last chunk that was sealed wrong is found by the source snapshot alone, and mended by the next backup when the disk %s', async (_what, sizeGib) => {
  const diskId = createImageDisk(`sealed-wrong-${sizeGib}`)
  await scene.azure.writeDisk(diskId, LAST.startBytes, noise(LAST.lengthBytes, seededRandom(SEED)))
  scene.azure.changeBlobLimits({ copyChecksum: 'none' })
  before = ({ operation, account, bytes }) => (operation === 'PutPageFromUrl' && account === 'backups' && bytes > 512 ? { flipByteAt: 4321 } : undefined)
  const { point } = await scene.backUp(diskId, { verify: { level: 'sample', sampleChanged: 0, sampleUnchanged: 0, maxRounds: 3 } })
  scene.azure.changeBlobLimits({ copyChecksum: 'crc64' })
  before = undefined
  await expect(verify({ diskId, level: 'full' })).resolves.toMatchObject({ point: { id: point.id } })
  await expect(verify({ diskId, level: 'source' })).rejects.toMatchObject({ cause: { type: 'PointSuspect', message: expect.stringContaining(`at [${GIB}, ${SIZE_BYTES + 512})`) } })
  expect(await suspects(diskId)).toEqual([point.id])

  if (sizeGib > 1) scene.azure.growDisk(diskId, sizeGib)
  const { sha256 } = await scene.azure.digestDisk(diskId)
  const { point: next } = await scene.backUp(diskId)
  expect(next).toMatchObject({ kind: 'incremental', mended: [expect.objectContaining({ startBytes: GIB })] })
  await expectRightDigests(scene.clients, scene.targetUrl, (await scene.points(diskId))[0]!)
  await expect(verify({ diskId, level: 'source' })).resolves.toMatchObject({ point: { id: next.id } })
  await expectRestorable(scene, next.id, sha256)
}, 120_000)

test('Azure copies its snapshots, and they are restored in both regions', async () => {
  scene.azure.changeSettings({ regionCopyMs: 0 })
  const diskId = createImageDisk('copied')
  await scene.azure.writeDisk(diskId, LAST.startBytes, noise(LAST.lengthBytes, seededRandom(SEED)))
  const { sha256 } = await scene.azure.digestDisk(diskId)
  const { point } = await scene.backUp(diskId, { copyStart: { resourceGroup: 'copies', region: TARGET_REGION } })
  for (const region of [TARGET_REGION, SOURCE_REGION]) {
    const { resourceId } = await scene.restore({ pointId: point.id, region, toDiskId: region === SOURCE_REGION ? besideId() : scene.freshDiskId() })
    expect((await scene.azure.digestDisk(resourceId)).sha256).toBe(sha256)
  }
}, 120_000)
