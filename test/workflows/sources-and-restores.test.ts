/** Disks, snapshots and uploads of every kind that the documents describe, and neighbours that must not be disturbed. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { MIB } from '../../domain/byte-range.ts'
import { backupWorkflowId } from '../../domain/names.ts'
import { DEFAULT_OPTIONS } from '../../domain/policy.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import { StorageError } from '../../simulator/blob-service/storage-error.ts'
import type { BackupDiskResult } from '../../workflows/messages.ts'
import { noise } from '../support/random-disk.ts'
import { backUpChanged, expectRestorable } from '../support/round-trip.ts'
import { openScene, SOURCE_REGION, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)

let scene: Scene
let before: ((call: OperationCall) => Promise<void> | void) | undefined
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ blobHooks: { before: (call) => before?.(call) } })
})
afterAll(() => scene?.close())
afterEach(() => {
  before = undefined
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

  test('zeroes all holes where the upload cannot be read, and says that it was not compared', async () => {
    const diskId = scene.createDisk(1)
    const { point, sha256 } = await backUpChanged(scene, diskId, SEED)
    const warnings = await expectRestoredOver(point.id, sha256, ({ operation, account }) => {
      if (account.startsWith('md-') && operation.startsWith('Get')) throw new StorageError('AuthorizationPermissionMismatch')
    })
    expect(warnings).toEqual([expect.stringMatching(/could not be read back/)])
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

/** Before the restore first looks at its upload, old data stands in it. */
async function expectRestoredOver(pointId: string, sha256: string, then: (call: OperationCall) => void): Promise<readonly string[]> {
  let isSoiled = false
  before = async (call) => {
    if (!isSoiled && call.account.startsWith('md-')) {
      isSoiled = true
      const [{ sasUrl }] = scene.azure.grantedAccess() as [ReturnType<typeof scene.azure.grantedAccess>[number]]
      for (const offset of [100 * MIB, 900 * MIB]) await scene.clients.sasBlob(sasUrl, 'sas').uploadPages(noise(MIB, seededRandom(SEED)), offset, MIB)
    }
    then(call)
  }
  const { diskId, warnings } = await scene.restore({ pointId })
  expect(isSoiled).toBe(true)
  expect((await scene.azure.digestDisk(diskId)).sha256).toBe(sha256)
  return warnings
}
