/** Disks whose data is not for everybody: private access, Entra, and both ways of moving bytes from them. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { WorkflowFailedError } from '@temporalio/client'
import { toRunFailure } from '../../client/run-failure.ts'
import type { CopyMode } from '../../domain/transfer-job.ts'
import { DEFAULT_PRINCIPAL } from '../../simulator/azure.ts'
import type { BeforeOperation } from '../../simulator/compute/arm-call.ts'
import type { OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import type { RestoreDiskInput } from '../../workflows/messages.ts'
import { backUpChanged, expectRestorable, expectTidy } from '../support/round-trip.ts'
import { openScene, SOURCE_REGION, type Scene } from '../support/scene.ts'

/** What the documents ask for beside the roles, for data that Entra protects. */
const DATA_RIGHTS = readFileSync(new URL('../../docs/movers.md', import.meta.url), 'utf8').match(/Microsoft\.Compute\/\w+\/(download|upload)\/action/g) ?? []

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const PRIVATE = { networkAccessPolicy: 'AllowPrivate', diskAccessId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskAccesses/a' }
const ENTRA = { dataAccessAuthMode: 'AzureActiveDirectory' }

const CLOSED = { networkAccessPolicy: 'DenyAll', publicNetworkAccess: 'Disabled' }

let scene: Scene
/** An answer in the place of the resource manager's. */
let beforeArm: BeforeOperation | undefined
const sent: OperationCall[] = []
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ beforeOperation: async (call) => beforeArm?.(call), blobHooks: { before: (call) => void sent.push(call) } })
})
afterAll(() => scene?.close())
afterEach(() => {
  sent.length = 0
  beforeArm = undefined
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
  // The private endpoints are in the region of the old disk.
  expect(await disks.get('restored', restored.replace(/^.*\//, ''))).toMatchObject({ ...ENTRA, ...CLOSED })
  const toSnapshotId = diskId.replace(/source\/(.*)disks\/.*$/, 'restored/$1snapshots/guarded')
  await scene.restore({ pointId: point.id, toSnapshotId })
  expect(await snapshots.get('restored', 'guarded')).toMatchObject({ ...ENTRA, ...CLOSED })
}, 120_000)

test('a disk that gives its data to nobody is backed up by a snapshot that does', async () => {
  const diskId = createDisk('closed', { networkAccessPolicy: 'DenyAll', publicNetworkAccess: 'Disabled' })
  const { point, sha256 } = await backUpChanged(scene, diskId, SEED)
  expect(point).toMatchObject({ transfer: 'copy' })
  await expectRestorable(scene, point.id, sha256)
}, 120_000)

describe('what a disk had beside its bytes', () => {
  const SET = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskEncryptionSets/e'
  const HAD = { ...CLOSED, tier: 'P50', maxShares: 2, burstingEnabled: true }

  async function restoreFrom(name: string, wish: Partial<RestoreDiskInput> = {}) {
    const encryption = { type: 'EncryptionAtRestWithCustomerKey', diskEncryptionSetId: SET }
    const { point, sha256 } = await backUpChanged(scene, createDisk(name, { ...HAD, encryption }), SEED)
    const { diskId, warnings } = await scene.restore({ pointId: point.id, ...wish })
    expect((await scene.azure.digestDisk(diskId)).sha256).toBe(sha256)
    return { warnings, disk: await scene.clients.compute(scene.azure.subscriptionId).disks.get('restored', diskId.replace(/^.*\//, '')) }
  }

  test('it has again once its bytes were compared, and a key where a set is named', async () => {
    const diskEncryptionSetId = SET.replace(/e$/, 'there')
    const { warnings, disk } = await restoreFrom('shared', { diskEncryptionSetId })
    expect({ warnings, disk }).toMatchObject({ warnings: [], disk: { ...HAD, encryption: { diskEncryptionSetId }, tags: { 'snapferry-check': 'passed' } } })
  }, 120_000)

  test('are 50 tags, as many as Azure takes: some make room for those of the restore, with a warning', async () => {
    const tags = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`tag-${index + 10}`, 'x']))
    const diskId = scene.azure.createDisk({ name: 'tagged', sizeGib: 1, resourceGroup: 'source', location: SOURCE_REGION, tags }).id
    const { point } = await backUpChanged(scene, diskId, SEED)
    const made: number[] = []
    beforeArm = async ({ operation, body }) => void (operation === 'Disks_CreateOrUpdate' && made.push(Object.keys((body as { tags: object }).tags).length))
    const { warnings } = await scene.restore({ pointId: point.id })
    expect({ made, warnings }).toEqual({ made: [50], warnings: [expect.stringMatching(/tag-56, tag-57, tag-58, tag-59/)] })
  }, 120_000)

  test('costs no restore where Azure refuses it: the warning names it', async () => {
    beforeArm = async ({ operation, body }) =>
      operation === 'Disks_Update' && JSON.stringify(body).includes('P50')
        ? { status: 400, body: { error: { code: 'InvalidParameter', message: 'The tier is not for this disk.' } } }
        : undefined
    const { warnings, disk } = await restoreFrom('refused')
    expect(warnings).toEqual([expect.stringContaining(SET), expect.stringMatching(/without tier P50, maxShares 2, burstingEnabled true, networkAccessPolicy DenyAll.*not for this disk.*by hand/)])
    expect(disk).toMatchObject({ networkAccessPolicy: 'AllowAll', tags: { 'snapferry-check': 'passed' } })
  }, 120_000)
})

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
