/** Disks, snapshots and uploads of every kind that the documents describe, and neighbours that must not be disturbed. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { KIB, MIB } from '../../domain/byte-range.ts'
import { backupWorkflowId, manifestName, parseBaseBlobName } from '../../domain/names.ts'
import { DEFAULT_OPTIONS } from '../../domain/policy.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { BaseBlob } from '../../azure/base-blob.ts'
import { findDisk } from '../../azure/disks.ts'
import { exportToFile, type ExportProgress } from '../../engine/export-file.ts'
import { findRestoreSource } from '../../engine/restore-source.ts'
import type { Fate, OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import { StorageError } from '../../simulator/blob-service/storage-error.ts'
import type { BackupDiskResult } from '../../workflows/messages.ts'
import { noise } from '../support/random-disk.ts'
import { backUpChanged, expectRestorable } from '../support/round-trip.ts'
import { openScene, SOURCE_REGION, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)

let scene: Scene
let before: ((call: OperationCall) => Promise<void> | void) | undefined
/** What is to become of a request that passed. */
let spoil: ((call: OperationCall) => Fate | undefined) | undefined
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({
    blobHooks: {
      async before(call) {
        await before?.(call)
        return spoil?.(call)
      },
    },
  })
})
afterAll(() => scene?.close())
afterEach(() => {
  before = undefined
  spoil = undefined
  expect(scene.azure.grantedAccess()).toEqual([])
})

function compute() {
  return scene.clients.compute(scene.azure.subscriptionId)
}

/** An incremental snapshot by another tool, with access to it where that is asked for. */
async function foreignSnapshot(diskId: string, name: string, isGranted = false): Promise<void> {
  const creationData = { createOption: 'Copy', sourceResourceId: diskId } as const
  await compute().snapshots.createOrUpdate('source', name, { location: SOURCE_REGION, incremental: true, creationData, tags: { owner: 'another' } })
  if (isGranted) await compute().snapshots.grantAccess('source', name, { access: 'Read', durationInSeconds: 600 })
}

/** A disk with a point, of which everything has changed since. */
async function changedDisk(): Promise<{ diskId: string; baseBlobName: string }> {
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(SEED)))
  const { point } = await scene.backUp(diskId)
  await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(SEED + 1)))
  return { diskId, baseBlobName: point.baseBlobName }
}

/** The next read of the base blob waits for a backup. @returns the points that were made so */
function backUpAtRead(diskId: string, baseBlobName: string): string[] {
  const made: string[] = []
  before = async ({ operation, blob }) => {
    if (operation !== 'GetBlob' || blob !== baseBlobName) return
    before = undefined
    made.push((await scene.backUp(diskId)).point.id)
  }
  return made
}

describe('a source', () => {
  test('whose snapshots climb to 100 percent in the background is waited for', async () => {
    scene.azure.changeSettings({ backgroundCopyMs: 1500 })
    scene.azure.createResourceGroup({ name: 'source', location: SOURCE_REGION })
    const { id } = await compute().disks.createOrUpdate('source', 'climbing', {
      location: SOURCE_REGION,
      zones: ['1'],
      sku: { name: 'PremiumV2_LRS' },
      diskSizeGB: 1,
      creationData: { createOption: 'Empty', logicalSectorSize: 512 },
    })
    const { point, sha256 } = await backUpChanged(scene, id!, SEED)
    scene.azure.changeSettings({ backgroundCopyMs: 0 })
    expect(point.kind).toBe('full')
    const { diskId } = await scene.restore({ pointId: point.id, sku: 'Premium_LRS' })
    expect((await scene.azure.digestDisk(diskId)).sha256).toBe(sha256)
  }, 120_000)

  test('that is named in odd case is the same disk', async () => {
    const diskId = scene.createDisk(1, 'OddCase')
    await backUpChanged(scene, diskId, SEED)
    const { point } = await backUpChanged(scene, diskId.toUpperCase().replace('/SUBSCRIPTIONS', '/Subscriptions'), SEED + 1)
    expect(point.kind).toBe('incremental')
    expect(await scene.points(diskId)).toHaveLength(2)
  }, 120_000)
})

describe('neighbours', () => {
  test('who hold all five SAS of the family are waited for, and their snapshots stay', async () => {
    const diskId = scene.createDisk(1)
    await backUpChanged(scene, diskId, SEED)
    const names = ['one', 'two', 'three', 'four', 'five']
    for (const name of names) await foreignSnapshot(diskId, `other-${name}`, true)
    const refusalsBefore = scene.azure.stats().compute['Snapshots_GrantAccess'] ?? 0
    const run = backUpChanged(scene, diskId, SEED + 1)
    // A refusal is seen, and what it was for is tried again, before anything is given up.
    while ((scene.azure.stats().compute['Snapshots_GrantAccess'] ?? 0) < refusalsBefore + 2) await new Promise((resolve) => setTimeout(resolve, 50))
    for (const name of names) await compute().snapshots.revokeAccess('source', `other-${name}`)
    const { point, sha256 } = await run
    expect(point.kind).toBe('incremental')
    await expectRestorable(scene, point.id, sha256)
    expect(await scene.sourceSnapshots()).toEqual(expect.arrayContaining(names.map((name) => `other-${name}`)))
  }, 120_000)

  test('of another target have a cursor of their own, which neither deletes for the other', async () => {
    scene.azure.createAccount({ name: 'second', region: SOURCE_REGION })
    const secondUrl = `${scene.azure.blobEndpoint}/second/points`
    await scene.clients.container(secondUrl).create()
    const diskId = scene.createDisk(1, 'shared')
    const toSecond = async (): Promise<BackupDiskResult> =>
      scene.client.workflow.execute('backupDisk', {
        taskQueue: `${scene.taskQueuePrefix}-control`,
        workflowId: backupWorkflowId(diskId, secondUrl),
        args: [{ diskId, targetUrl: secondUrl, options: DEFAULT_OPTIONS }],
      })
    await backUpChanged(scene, diskId, SEED)
    await toSecond()
    const first = backUpChanged(scene, diskId, SEED + 1)
    const second = await toSecond()
    expect((await first).point.kind).toBe('incremental')
    expect(second.point.kind).toBe('incremental')
    expect((await toSecond()).point.kind).toBe('incremental')
    expect((await scene.sourceSnapshots()).filter((name) => name.startsWith('sf-shared-'))).toHaveLength(2)
  }, 120_000)
})

describe('a restore', () => {
  test('zeroes what the upload held before', async () => {
    const diskId = scene.createDisk(1)
    const { point, sha256 } = await backUpChanged(scene, diskId, SEED)
    await expectRestoredOver(point.id, sha256, () => undefined)
  }, 120_000)

  test('zeroes all holes where the upload cannot be read, and is compared by a grant to read', async () => {
    const diskId = scene.createDisk(1)
    const { point, sha256 } = await backUpChanged(scene, diskId, SEED)
    const tags: unknown[] = []
    const warnings = await expectRestoredOver(point.id, sha256, async (call) => {
      refuseReadsOfUpload(call)
      if (!isReadOfDisk(call) || tags.length > 0) return
      const [grant] = scene.azure.grantedAccess()
      const { name = '' } = /\/disks\/(?<name>[^/]+)$/.exec(grant?.id ?? '')?.groups ?? {}
      tags.push((await compute().disks.get('restored', name)).tags)
    })
    expect(warnings).toEqual([])
    expect(tags).toEqual([expect.objectContaining({ 'snapferry-check': 'pending' })])
  }, 120_000)

  test('mends what differs while the upload is open', async () => {
    const { point, sha256 } = await smallPoint()
    let spoiled = 0
    spoil = (call) => {
      if (!isWriteOfUpload(call) || call.bytes < KIB || spoiled > 0) return undefined
      spoiled += 1
      return { flipByteAt: 700 }
    }
    await expectRestorable(scene, point.id, sha256)
    expect(spoiled).toBe(1)
  }, 120_000)

  test.each([
    ['differs however often it is written', (_call: OperationCall): void => {}],
    ['differs and could not be read before it was closed', refuseReadsOfUpload],
  ])('that %s is deleted and never handed over', async (_what, then) => {
    const { point } = await smallPoint()
    before = then
    spoil = (call) => (isWriteOfUpload(call) && call.bytes > KIB ? { flipByteAt: 700 } : undefined)
    const toDiskId = scene.freshDiskId()
    await expect(scene.restore({ pointId: point.id, toDiskId })).rejects.toMatchObject({ cause: { type: 'VerificationFailed' } })
    expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()
  }, 120_000)

  test.each([
    ['while its upload is open, and mended', (_call: OperationCall): void => {}, undefined],
    ['when it is closed, and the disk deleted', refuseReadsOfUpload, 'VerificationFailed'],
  ] as const)('of which one bit is wrong, wherever it is, is found out %s', async (_what, then, failure) => {
    const { id, sha256 } = await (large ??= largePoint())
    const wrongAtBytes = LARGE_AT_BYTES + Math.floor(seededRandom(SEED)() * LARGE_BYTES)
    process.stderr.write(`wrong byte: ${wrongAtBytes}\n`)
    before = then
    let spoiled = 0
    spoil = (call) => {
      if (!isWriteOfUpload(call) || spoiled > 0) return undefined
      const [, first = '', last = ''] = /^bytes=(\d+)-(\d+)$/.exec(call.request.header('x-ms-range') ?? call.request.header('range') ?? '') ?? []
      if (wrongAtBytes < Number(first) || wrongAtBytes > Number(last)) return undefined
      spoiled += 1
      return { flipByteAt: wrongAtBytes - Number(first) }
    }
    const toDiskId = scene.freshDiskId()
    const restored = scene.restore({ pointId: id, toDiskId })
    if (failure === undefined) {
      expect((await restored).comparedBytes).toBeGreaterThanOrEqual(LARGE_BYTES)
      expect((await scene.azure.digestDisk(toDiskId)).sha256).toBe(sha256)
    } else {
      await expect(restored).rejects.toMatchObject({ cause: { type: failure } })
      expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()
    }
    expect(spoiled).toBe(1)
  }, 120_000)

  test('of a point that has rotted since it was sealed is not handed over, and made as it is for who allows that', async () => {
    const { point } = await smallPoint()
    const { name, snapshot } = (await scene.points()).find(({ id }) => id === point.id)!.baseBlob
    await scene.azure.rotBlob({ account: 'backups', container: 'points', blob: name, snapshot, offsetBytes: 5 * MIB + 77, mask: 4 })
    const toDiskId = scene.freshDiskId()
    const failure = { type: 'VerificationFailed', message: expect.stringContaining(`it was deleted again. The point itself is damaged; marked as suspect: ${point.id}`) }
    await expect(scene.restore({ pointId: point.id, toDiskId })).rejects.toMatchObject({ cause: failure })
    expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()

    const { diskId, warnings } = await scene.restore({ pointId: point.id, allowsSuspect: true })
    expect(warnings).toEqual([expect.stringContaining('is suspect since'), expect.stringContaining('not with its digests')])
    const expected = noise(64 * KIB, seededRandom(SEED))
    expected[77]! ^= 4
    expect(Buffer.compare(await scene.azure.readDisk(diskId, 5 * MIB, 64 * KIB), expected)).toBe(0)
  }, 120_000)

  test('of a point that has rotted tells how to find out, where the worker may not mark it', async () => {
    const { point } = await smallPoint()
    const { name, snapshot } = (await scene.points()).find(({ id }) => id === point.id)!.baseBlob
    await scene.azure.rotBlob({ account: 'backups', container: 'points', blob: name, snapshot, offsetBytes: 5 * MIB + 77, mask: 4 })
    const rule = scene.azure.faults.add({ operation: 'PutBlob', effect: { kind: 'status', status: 403, code: 'AuthorizationPermissionMismatch' } })
    const failure = { type: 'VerificationFailed', message: expect.stringContaining('snapferry verify run') }
    await expect(scene.restore({ pointId: point.id })).rejects.toMatchObject({ cause: failure })
    scene.azure.faults.remove(rule)
  }, 120_000)

  test('of a point that has rotted is right by the source snapshot while that lives, and compared with the digests of the point', async () => {
    const { point, sha256 } = await smallPoint()
    const { name, snapshot } = (await scene.points()).find(({ id }) => id === point.id)!.baseBlob
    await scene.azure.rotBlob({ account: 'backups', container: 'points', blob: name, snapshot, offsetBytes: 5 * MIB + 77, mask: 4 })
    scene.azure.createResourceGroup({ name: 'beside', location: SOURCE_REGION })
    const toDiskId = scene.freshDiskId().replace('/restored/', '/beside/')
    const { warnings, comparedBytes } = await scene.restore({ pointId: point.id, allowsSuspect: true, way: 'source-snapshot', region: SOURCE_REGION, toDiskId })
    expect({ warnings, comparedBytes }).toEqual({ warnings: [], comparedBytes: 64 * KIB + 512 })
    expect((await scene.azure.digestDisk(toDiskId)).sha256).toBe(sha256)
  }, 120_000)

  test('of a point whose digests were deleted is compared with the point itself', async () => {
    const { point, sha256 } = await smallPoint()
    const { digests } = (await scene.points()).find(({ id }) => id === point.id)!
    await scene.clients.container(scene.targetUrl).getPageBlobClient(digests!.name).withSnapshot(digests!.snapshot).delete()
    const { diskId, comparedBytes } = await scene.restore({ pointId: point.id })
    expect((await scene.azure.digestDisk(diskId)).sha256).toBe(sha256)
    expect(comparedBytes).toBeGreaterThanOrEqual(64 * KIB)
  }, 120_000)

  test('of the base blob is given up when a backup opens it meanwhile', async () => {
    const diskId = scene.createDisk(1)
    await backUpChanged(scene, diskId, SEED)
    await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(SEED)))
    const toDiskId = scene.freshDiskId()
    let overtaken = 0
    before = async (call) => {
      if (!isWriteOfUpload(call) || overtaken > 0) return
      overtaken += 1
      await scene.backUp(diskId)
    }
    await expect(scene.restore({ diskId, isBaseBlob: true, toDiskId })).rejects.toMatchObject({ cause: { cause: { type: 'BaseBlobNotClean' } } })
    expect(overtaken).toBe(1)
    expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()
  }, 120_000)

  test('of the base blob is given up, and not told as damage, when a backup writes to it while the disk is compared', async () => {
    const { diskId, baseBlobName } = await changedDisk()
    const toDiskId = scene.freshDiskId()
    const storageAccountId = `/subscriptions/${scene.azure.subscriptionId}/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/backups`
    const backups = backUpAtRead(diskId, baseBlobName)
    await expect(scene.restore({ diskId, isBaseBlob: true, way: 'import', storageAccountId, toDiskId })).rejects.toMatchObject({ cause: { cause: { type: 'BaseBlobNotClean' } } })
    expect(backups).toHaveLength(1)
    expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()
  }, 120_000)

  test('of the base blob to a file is given up likewise, and leaves nothing behind', async () => {
    const { diskId, baseBlobName } = await changedDisk()
    const folder = await mkdtemp(join(tmpdir(), 'snapferry-export-test-'))
    const source = await findRestoreSource(scene.engine, { targetUrl: scene.targetUrl, diskId, isBaseBlob: true })
    let backups: string[] = []
    let isComparing = false
    const onProgress = ({ phase }: ExportProgress): void => {
      if (phase === 'verify' && !isComparing) backups = backUpAtRead(diskId, baseBlobName)
      isComparing = phase === 'verify'
    }
    await expect(exportToFile(scene.engine, source, { path: join(folder, 'disk.vhd'), onProgress })).rejects.toMatchObject({ type: 'BaseBlobNotClean' })
    expect(backups).toHaveLength(1)
    expect(await readdir(folder)).toEqual([])
    await rm(folder, { recursive: true })
  }, 120_000)

  test('of a base blob that a run has left half-way is refused', async () => {
    const diskId = scene.createDisk(1)
    const { point } = await backUpChanged(scene, diskId, SEED)
    const base = new BaseBlob(scene.clients, scene.targetUrl, point.baseBlobName)
    const { state, etag } = (await base.properties())!
    await base.setState({ ...state!, condition: 'dirty', runKey: 'half-way', pending: state!.cursor! }, etag)
    const toDiskId = scene.freshDiskId()
    await expect(scene.restore({ diskId, isBaseBlob: true, toDiskId })).rejects.toMatchObject({ cause: { cause: { type: 'BaseBlobNotClean', message: expect.stringContaining('run half-way') } } })
    expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()
  }, 120_000)

  test('of a base blob whose last manifest is lost tells what it does not know', async () => {
    const diskId = scene.createDisk(1)
    const { point, sha256 } = await backUpChanged(scene, diskId, SEED)
    const name = manifestName(parseBaseBlobName(point.baseBlobName)!, point.id)
    await scene.clients.container(scene.targetUrl).deleteBlob(name)
    const { resourceId, warnings } = await scene.restore({ diskId, isBaseBlob: true, osType: 'Linux', hyperVGeneration: 'V2' })
    expect((await scene.azure.digestDisk(resourceId)).sha256).toBe(sha256)
    expect(warnings).toEqual([expect.stringContaining('not sealed'), expect.stringContaining('--os-type')])
    expect(await compute().disks.get('restored', resourceId.replace(/^.*\//, ''))).toMatchObject({ osType: 'Linux', hyperVGeneration: 'V2' })
  }, 120_000)

  test('makes a disk of the same shape', async () => {
    const { id } = scene.azure.createDisk({
      name: 'shapely',
      sizeGib: 1,
      sku: 'StandardSSD_LRS',
      zones: ['2'],
      tags: { cost: 'centre 7', owner: 'a team' },
      resourceGroup: 'source',
      location: SOURCE_REGION,
      properties: { osType: 'Linux', hyperVGeneration: 'V2', supportedCapabilities: { architecture: 'Arm64' } },
    })
    const { point } = await backUpChanged(scene, id, SEED)
    const { diskId } = await scene.restore({ pointId: point.id, region: SOURCE_REGION })
    const disk = await compute().disks.get('restored', diskId.replace(/^.*\//, ''))
    expect(disk).toMatchObject({
      location: SOURCE_REGION,
      sku: { name: 'StandardSSD_LRS' },
      zones: ['2'],
      osType: 'Linux',
      hyperVGeneration: 'V2',
      supportedCapabilities: { architecture: 'Arm64' },
      tags: { cost: 'centre 7', owner: 'a team' },
    })
  }, 120_000)
})

function isReadOfDisk({ operation, account }: OperationCall): boolean {
  return account.startsWith('md-') && operation.startsWith('Get')
}

function isWriteOfUpload({ operation, account }: OperationCall): boolean {
  return account.startsWith('md-') && operation.startsWith('PutPage')
}

/** As of a SAS that lets write alone. */
function refuseReadsOfUpload(call: OperationCall): void {
  const isUpload = scene.azure.grantedAccess().some(({ access }) => access === 'Write')
  if (isUpload && isReadOfDisk(call)) throw new StorageError('AuthorizationPermissionMismatch')
}

const LARGE_AT_BYTES = 64 * MIB
/** Sixteen times what a sample reads. */
const LARGE_BYTES = 64 * MIB
let large: Promise<{ readonly id: string; readonly sha256: string }> | undefined

async function largePoint() {
  const diskId = scene.createDisk(1)
  for (let atBytes = 0; atBytes < LARGE_BYTES; atBytes += 4 * MIB) {
    await scene.azure.writeDisk(diskId, LARGE_AT_BYTES + atBytes, noise(4 * MIB, seededRandom(SEED + atBytes)))
  }
  const { sha256 } = await scene.azure.digestDisk(diskId)
  return { id: (await scene.backUp(diskId)).point.id, sha256 }
}

/** So little that every byte of it is compared. */
async function smallPoint(): Promise<Awaited<ReturnType<typeof backUpChanged>>> {
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 5 * MIB, noise(64 * KIB, seededRandom(SEED)))
  const { sha256 } = await scene.azure.digestDisk(diskId)
  return { point: (await scene.backUp(diskId)).point, sha256 }
}

/** Before the restore first looks at its upload, old data stands in it. */
async function expectRestoredOver(pointId: string, sha256: string, then: (call: OperationCall) => Promise<void> | void): Promise<readonly string[]> {
  let isSoiled = false
  before = async (call) => {
    if (!isSoiled && call.account.startsWith('md-')) {
      isSoiled = true
      const [{ sasUrl }] = scene.azure.grantedAccess() as [ReturnType<typeof scene.azure.grantedAccess>[number]]
      for (const offset of [100 * MIB, 900 * MIB]) await scene.clients.sasBlob(sasUrl, 'sas').uploadPages(noise(MIB, seededRandom(SEED)), offset, MIB)
    }
    await then(call)
  }
  const { diskId, warnings } = await scene.restore({ pointId })
  expect(isSoiled).toBe(true)
  expect((await scene.azure.digestDisk(diskId)).sha256).toBe(sha256)
  return warnings
}
