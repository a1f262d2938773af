/** Every source by every way into every result: the same bytes, compared, marked, and nothing left behind. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { listBlobs } from '../../azure/blob-lists.ts'
import { findDisk } from '../../azure/disks.ts'
import { stageBlob } from '../../azure/staged-blob.ts'
import { MIB } from '../../domain/byte-range.ts'
import { importBlobName, parseBaseBlobName } from '../../domain/names.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { pruneTemporaries } from '../../engine/prune-temporaries.ts'
import type { RestoreDiskInput } from '../../workflows/messages.ts'
import type { BeforeOperation } from '../../simulator/compute/arm-call.ts'
import { checkImage, hasE2fsprogs, IMAGE_BYTES, makeImage } from '../support/ext4.ts'
import { offlineCli } from '../support/offline-cli.ts'
import { createRandomDisk, noise } from '../support/random-disk.ts'
import { openScene, SOURCE_REGION, TARGET_REGION, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)

let scene: Scene
/** An answer in the place of the resource manager's. */
let beforeArm: BeforeOperation | undefined
let sourceDiskId: string
let storageAccountId: string
/** Oldest first. */
const points: { readonly id: string; readonly takenAt: string; readonly sha256: string }[] = []
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ beforeOperation: async (call) => beforeArm?.(call) })
  storageAccountId = accountId()
  for (const [name, location] of [['restored', TARGET_REGION], ['at-home', SOURCE_REGION]] as const) scene.azure.createResourceGroup({ name, location })
  sourceDiskId = scene.createDisk(1, 'many-ways')
  if (hasE2fsprogs()) await scene.azure.writeDisk(sourceDiskId, 0, makeImage())
  const disk = createRandomDisk(scene.azure, sourceDiskId, 64 * MIB, SEED)
  for (let round = 0; round < 2; round++) {
    await scene.azure.writeDisk(sourceDiskId, 512 * MIB, noise(4 * MIB, seededRandom(SEED + round)))
    if (!hasE2fsprogs()) await disk.change(20)
    const { sha256 } = await scene.azure.digestDisk(sourceDiskId)
    const { id, takenAt } = (await scene.backUp(sourceDiskId)).point
    points.push({ id, takenAt, sha256 })
  }
}, 120_000)
afterAll(() => scene?.close())
afterEach(async () => {
  beforeArm = undefined
  expect(scene.azure.grantedAccess()).toEqual([])
  expect(await temporaries()).toEqual([])
})

function accountId(): string {
  const { subscriptionId } = scene.azure
  return `/subscriptions/${subscriptionId}/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/backups`
}

/** Disks and blobs that a restore makes on its way. */
async function temporaries(): Promise<string[]> {
  const found: string[] = []
  for await (const { name } of listBlobs(scene.clients, scene.targetUrl, { prefix: '' })) if (name.includes('/tmp/')) found.push(name)
  for await (const { name = '' } of scene.clients.compute(scene.azure.subscriptionId).disks.list()) if (name.startsWith('sf-temporary-')) found.push(name)
  return found
}

let made = 0
function idIn(region: string, type: 'disks' | 'snapshots'): string {
  made += 1
  const group = region === SOURCE_REGION ? 'at-home' : 'restored'
  return `/subscriptions/${scene.azure.subscriptionId}/resourceGroups/${group}/providers/Microsoft.Compute/${type}/made-${made}`
}

interface Source {
  readonly name: string
  readonly choice: () => Partial<RestoreDiskInput>
  readonly point: () => (typeof points)[number]
}

const SOURCES: readonly Source[] = [
  { name: 'an older point by its id', choice: () => ({ pointId: points[0]!.id }), point: () => points[0]! },
  { name: 'a point by its time', choice: () => ({ diskId: sourceDiskId, at: points[0]!.takenAt }), point: () => points[0]! },
  { name: 'the newest point', choice: () => ({ diskId: sourceDiskId }), point: () => points[1]! },
  { name: 'the base blob', choice: () => ({ diskId: sourceDiskId, isBaseBlob: true }), point: () => points[1]! },
]
const WAYS = [
  { way: 'upload', region: SOURCE_REGION },
  { way: 'upload', region: TARGET_REGION },
  { way: 'import', region: TARGET_REGION },
  { way: 'source-snapshot', region: SOURCE_REGION },
] as const
const RESULTS = ['disk', 'full snapshot', 'incremental snapshot'] as const

const CASES = SOURCES.flatMap((source) =>
  WAYS.flatMap(({ way, region }) => RESULTS.map((result) => ({ source: source.name, way, region, result, ...source }))),
).filter(isPossible)

/** Only the cursor is kept at the source, so that way knows the newest state alone. Regions are told apart by disks. */
function isPossible({ source, way, region, result }: { source: string; way: string; region: string; result: string }): boolean {
  if (way === 'source-snapshot') return /newest|base blob/.test(source)
  return result === 'disk' || (region === TARGET_REGION && /newest|base blob/.test(source))
}

async function restore({ choice, way, region, result }: (typeof CASES)[number]) {
  return scene.restore({
    ...choice(),
    way,
    region,
    ...(way === 'import' && { storageAccountId }),
    ...(result === 'disk' ? { toDiskId: idIn(region, 'disks') } : { toSnapshotId: idIn(region, 'snapshots'), isIncremental: result.startsWith('incremental') }),
  })
}

test.each(CASES)('$source by $way in $region becomes a $result of the same bytes', async (kind) => {
  const { resourceId, comparedBytes, point, warnings } = await restore(kind)
  const expected = kind.point()
  expect((await scene.azure.digestDisk(resourceId)).sha256).toBe(expected.sha256)
  expect(comparedBytes).toBeGreaterThan(0)
  if (kind.source === 'the base blob') expect({ point, warnings }).toEqual({ point: undefined, warnings: [expect.stringContaining('not sealed')] })
  else expect({ id: point?.id, warnings }).toEqual({ id: expected.id, warnings: [] })
  if (kind.result === 'disk') {
    const disk = await findDisk(scene.clients, resourceId)
    expect(disk).toMatchObject({ state: 'Unattached', location: kind.region, tags: { snapferry: 'restore', 'snapferry-check': 'passed' } })
    if (hasE2fsprogs()) checkImage(await scene.azure.readDisk(resourceId, 0, IMAGE_BYTES))
  } else {
    const [, group = '', name = ''] = /resourceGroups\/([^/]+)\/.*\/([^/]+)$/.exec(resourceId) ?? []
    const snapshot = await scene.clients.compute(scene.azure.subscriptionId).snapshots.get(group, name)
    expect(snapshot).toMatchObject({ location: kind.region, incremental: kind.result.startsWith('incremental'), tags: { 'snapferry-check': 'passed' } })
  }
}, 60_000)

if (!hasE2fsprogs()) test.skip('and an ext4 file system on it is clean: e2fsck is not installed', () => {})

test('a snapshot that Azure fails to make fails the restore, which takes everything away', async () => {
  const toSnapshotId = idIn(TARGET_REGION, 'snapshots')
  const name = toSnapshotId.replace(/^.*\//, '')
  const compute = scene.clients.compute(scene.azure.subscriptionId)
  const disksIn = async (): Promise<string[]> => {
    const names: string[] = []
    for await (const disk of compute.disks.listByResourceGroup('restored')) names.push(disk.name ?? '')
    return names
  }
  const disksBefore = await disksIn()
  beforeArm = shownAsFailed(name)
  const failure = scene.restore({ pointId: points[1]!.id, toSnapshotId })
  await expect(failure).rejects.toMatchObject({ cause: { cause: { type: 'SnapshotFailed', message: expect.stringContaining(`${name}: its provisioning state is Failed`) } } })
  beforeArm = undefined
  await expect(compute.snapshots.get('restored', name)).rejects.toMatchObject({ statusCode: 404 })
  expect(await disksIn()).toEqual(disksBefore)
}, 60_000)

/** Shows the snapshot, once it is there, as one that Azure has given up. */
function shownAsFailed(name: string): BeforeOperation {
  const { snapshots } = scene.clients.compute(scene.azure.subscriptionId)
  let isAsking = false
  return async ({ operation, path }) => {
    if (operation !== 'Snapshots_Get' || isAsking || !path.endsWith(`/${name}`)) return undefined
    isAsking = true
    let text = ''
    await snapshots.get('restored', name, { onResponse: ({ bodyAsText }) => void (text = bodyAsText ?? '') }).catch(() => undefined)
    isAsking = false
    const body = JSON.parse(text) as { properties?: object }
    if (body.properties === undefined) return undefined
    return { status: 200, body: { ...body, properties: { ...body.properties, provisioningState: 'Failed' } } }
  }
}

describe('is refused before anything is made', () => {
  const disksBefore = async (): Promise<number> => {
    let count = 0
    for await (const _disk of scene.clients.compute(scene.azure.subscriptionId).disks.list()) count += 1
    return count
  }

  test.each([
    ['the source snapshot of an older point', () => ({ pointId: points[0]!.id, way: 'source-snapshot', region: SOURCE_REGION }), 'SourceSnapshotNotFound', /is gone; normally that of the newest point alone is kept/],
    ['the source snapshot in another region', () => ({ diskId: sourceDiskId, way: 'source-snapshot', region: TARGET_REGION }), 'RegionMismatch', /is in westeurope/],
    ['an import without the storage account', () => ({ diskId: sourceDiskId, way: 'import' }), 'InvalidArgument', /--storage-account-id/],
    ['the base blob of a disk that has none', () => ({ diskId: `${sourceDiskId}-other`, isBaseBlob: true }), 'PointNotFound', /holds no base blob/],
  ] as [string, () => Partial<RestoreDiskInput>, string, RegExp][])('%s', async (_what, wish, type, words) => {
    const before = await disksBefore()
    const failure = scene.restore(wish())
    await expect(failure).rejects.toMatchObject({ cause: { cause: { type, message: expect.stringMatching(words) } } })
    expect(await disksBefore()).toBe(before)
  })

  test('a snapshot whose name is taken', async () => {
    const [cursor = ''] = await scene.sourceSnapshots()
    const toSnapshotId = sourceDiskId.replace(/disks\/[^/]+$/, `snapshots/${cursor}`)
    await expect(scene.restore({ diskId: sourceDiskId, toSnapshotId })).rejects.toMatchObject({ cause: { cause: { type: 'DiskExists' } } })
  })
})

test('a point over two stripes is restored by upload, and its import is refused by name', async () => {
  const diskId = scene.createDisk(2, 'striped')
  for (const gib of [0, 1]) await scene.azure.writeDisk(diskId, gib * 1024 * MIB + 5 * MIB, noise(2 * MIB, seededRandom(SEED + gib)))
  const { sha256 } = await scene.azure.digestDisk(diskId)
  const { id: pointId } = (await scene.backUp(diskId, { stripes: 2 })).point
  const wish = { pointId, way: 'import', storageAccountId, toDiskId: idIn(TARGET_REGION, 'disks') } as const
  await expect(scene.restore(wish)).rejects.toMatchObject({
    cause: { cause: { type: 'InvalidArgument', message: `point ${pointId} lies in 2 stripes, and an import takes one blob; restore it by upload` } },
  })
  expect(await findDisk(scene.clients, wish.toDiskId)).toBeUndefined()
  const { resourceId, comparedBytes } = await scene.restore({ pointId })
  expect((await scene.azure.digestDisk(resourceId)).sha256).toBe(sha256)
  expect(comparedBytes).toBeGreaterThanOrEqual(4 * MIB)
}, 120_000)

test('what a terminated import has left is told by both lists, and deleted by a later backup when no restore can need it', async () => {
  const { baseBlob } = (await scene.points(sourceDiskId))[0]!
  const chain = parseBaseBlobName(baseBlob.name)!
  const container = scene.clients.container(scene.targetUrl)
  const staged = { targetUrl: scene.targetUrl, name: importBlobName(baseBlob.name, 'terminated'), requestId: 'terminated' }
  await stageBlob(scene.clients, staged, container.getPageBlobClient(baseBlob.name).withSnapshot(baseBlob.snapshot).url)
  const foreign = container.getPageBlobClient(importBlobName(baseBlob.name, 'of another product'))
  await foreign.create(512)
  for (const command of ['rescue', 'points']) {
    const { exitCode, stderr } = await offlineCli(scene)(command, 'list', '--target', scene.targetUrl)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining(`${staged.name}: the temporary copy`) })
    expect(stderr).not.toContain(foreign.name)
  }

  await scene.azure.writeDisk(sourceDiskId, 700 * MIB, noise(MIB, seededRandom(SEED)))
  await scene.backUp(sourceDiskId)
  expect(await temporaries()).toEqual(expect.arrayContaining([staged.name, foreign.name]))
  await pruneTemporaries(scene.engine, { targetUrl: scene.targetUrl, chain, nowMs: Date.now() + 16 * 24 * 3_600_000 })
  expect(await temporaries()).toEqual([foreign.name])
  await foreign.delete()
}, 120_000)

test('an import into a region where the account is not is refused by Azure, and leaves nothing', async () => {
  const wish = { diskId: sourceDiskId, way: 'import', region: SOURCE_REGION, storageAccountId, toDiskId: idIn(SOURCE_REGION, 'disks') } as const
  await expect(scene.restore(wish)).rejects.toMatchObject({ cause: { cause: { type: 'RegionMismatch', message: expect.stringContaining('a disk must be in its region') } } })
  expect(await findDisk(scene.clients, wish.toDiskId)).toBeUndefined()
})
