/** Disks whose data is not for everybody: private access, Entra, and both ways of moving bytes from them. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { WorkflowFailedError } from '@temporalio/client'
import { toRunFailure } from '../../client/run-failure.ts'
import type { CopyMode } from '../../domain/transfer-job.ts'
import { DEFAULT_PRINCIPAL } from '../../simulator/azure.ts'
import type { OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import { backUpChanged, expectRestorable, expectTidy } from '../support/round-trip.ts'
import { openScene, SOURCE_REGION, type Scene } from '../support/scene.ts'

/** What the documents ask for beside the roles, for data that Entra protects. */
const DATA_RIGHTS = readFileSync(new URL('../../docs/movers.md', import.meta.url), 'utf8').match(/Microsoft\.Compute\/\w+\/(download|upload)\/action/g) ?? []

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const PRIVATE = { networkAccessPolicy: 'AllowPrivate', diskAccessId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskAccesses/a' }
const ENTRA = { dataAccessAuthMode: 'AzureActiveDirectory' }

let scene: Scene
const sent: OperationCall[] = []
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ blobHooks: { before: (call) => void sent.push(call) } })
})
afterAll(() => scene?.close())
afterEach(() => {
  sent.length = 0
  expect(scene.azure.grantedAccess()).toEqual([])
})

function createDisk(name: string, properties: Record<string, unknown>): string {
  return scene.azure.createDisk({ name, sizeGib: 1, resourceGroup: 'source', location: SOURCE_REGION, properties }).id
}

/** To base blobs: the digest table beside them is written by the worker. */
const toTarget = (operation: string): number =>
  sent.filter((call) => call.operation === operation && call.account === 'backups' && call.blob.endsWith('.vhd')).length

const BY_POLICY = { transfer: 'stream', streamCause: 'Requested' } as const
const BY_REFUSAL = { transfer: 'stream', streamCause: 'ServerSideCopyRefused' } as const

describe.each([
  ['under private access', PRIVATE, 'copy', BY_REFUSAL],
  ['under private access, by a policy that streams', PRIVATE, 'stream', BY_POLICY],
  ['protected by Entra', ENTRA, 'copy', { transfer: 'copy' }],
  ['protected by Entra, by a policy that streams', ENTRA, 'stream', BY_POLICY],
  ['under private access and protected by Entra', { ...PRIVATE, ...ENTRA }, 'copy', BY_REFUSAL],
] as const)('a disk %s', (_title, properties, transfer: CopyMode, movement) => {
  test('is backed up in full and by what changed, verified and restored, and the record says how', async () => {
    const diskId = createDisk(`disk-${randomUUID().slice(0, 8)}`, properties)
    const first = await backUpChanged(scene, diskId, SEED, { transfer })
    expect(first.point).toMatchObject({ kind: 'full', ...movement })
    const second = await backUpChanged(scene, diskId, SEED + 1, { transfer })
    expect(second.point).toMatchObject({ kind: 'incremental', ...movement })
    expect(second.point.verification.comparedBytes).toBeGreaterThan(0)
    if (transfer === 'stream') expect(toTarget('PutPageFromUrl')).toBe(0)
    if (movement.transfer === 'copy') expect(toTarget('PutPage')).toBe(0)
    const [newest] = await scene.points(diskId)
    expect(newest).toMatchObject(movement)
    await expectTidy(scene, diskId, 2)
    await expectRestorable(scene, second.point.id, second.sha256)
  }, 180_000)
})

test('a source that the storage service may not read, though its SAS is good, is streamed', async () => {
  const diskId = createDisk('walled', {})
  const rule = scene.azure.faults.add({ operation: 'PutPageFromUrl', effect: { kind: 'status', status: 403, code: 'CannotVerifyCopySource' } })
  try {
    const { point } = await backUpChanged(scene, diskId, SEED)
    expect(point).toMatchObject(BY_REFUSAL)
  } finally {
    scene.azure.faults.remove(rule)
  }
}, 120_000)

test('a snapshot is no easier to get at than its disk, and a restored disk is protected as it was', async () => {
  const diskId = createDisk('guarded', { ...PRIVATE, ...ENTRA, publicNetworkAccess: 'Disabled' })
  const { point, sha256 } = await backUpChanged(scene, diskId, SEED)
  const { snapshots, disks } = scene.clients.compute(scene.azure.subscriptionId)
  const [{ source }] = (await scene.points(diskId)) as [Awaited<ReturnType<Scene['points']>>[number]]
  expect(await snapshots.get('source', source.snapshotId.replace(/^.*\//, ''))).toMatchObject({ ...PRIVATE, ...ENTRA, publicNetworkAccess: 'Disabled' })
  const { diskId: restored } = await scene.restore({ pointId: point.id })
  expect((await scene.azure.digestDisk(restored)).sha256).toBe(sha256)
  expect(await disks.get('restored', restored.replace(/^.*\//, ''))).toMatchObject(ENTRA)
}, 120_000)

test('a disk that gives its data to nobody is backed up by a snapshot that does', async () => {
  const diskId = createDisk('closed', { networkAccessPolicy: 'DenyAll', publicNetworkAccess: 'Disabled' })
  const { point, sha256 } = await backUpChanged(scene, diskId, SEED)
  expect(point).toMatchObject({ transfer: 'copy' })
  await expectRestorable(scene, point.id, sha256)
}, 120_000)

describe('of data that Entra protects', () => {
  function allowData(actions: readonly string[]): void {
    scene.azure.assignRoles(DEFAULT_PRINCIPAL, [{ actions: ['*'], notActions: ['*/download/action', '*/upload/action'] }, { actions: [...actions] }])
  }
  afterEach(() => scene.azure.assignRoles(DEFAULT_PRINCIPAL, [{ actions: ['*'] }]))

  async function backUpAndRestore(): Promise<void> {
    const { point, sha256 } = await backUpChanged(scene, createDisk(`disk-${randomUUID().slice(0, 8)}`, ENTRA), SEED)
    await expectRestorable(scene, point.id, sha256)
    // A disk that Azure filled is compared by a grant to read, as that of a drill is.
    await scene.restore({ pointId: point.id, way: 'source-snapshot', region: SOURCE_REGION })
  }

  test('backup and restore need the rights that are documented', async () => {
    allowData(DATA_RIGHTS)
    await backUpAndRestore()
  }, 120_000)

  test.each(DATA_RIGHTS)('%s is named where it is missing', async (missing) => {
    allowData(DATA_RIGHTS.filter((right) => right !== missing))
    const error = await backUpAndRestore().catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(WorkflowFailedError)
    expect(toRunFailure(error as WorkflowFailedError, 'run')).toMatchObject({ type: 'AccessDenied', message: expect.stringContaining(missing) })
  }, 120_000)
})
