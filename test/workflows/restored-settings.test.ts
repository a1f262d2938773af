/** What a disk had beside its bytes: performance, network access, keys and tags, as a restore brings them back. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { BeforeOperation } from '../../simulator/compute/arm-call.ts'
import type { RestoreDiskInput } from '../../workflows/messages.ts'
import { backUpChanged } from '../support/round-trip.ts'
import { openScene, SOURCE_REGION, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const CLOSED = { networkAccessPolicy: 'DenyAll', publicNetworkAccess: 'Disabled' }
const PRIVATE = { networkAccessPolicy: 'AllowPrivate', diskAccessId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskAccesses/a' }
const ENTRA = { dataAccessAuthMode: 'AzureActiveDirectory' }

let scene: Scene
/** An answer in the place of the resource manager's. */
let beforeArm: BeforeOperation | undefined
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ beforeOperation: async (call) => beforeArm?.(call) })
})
afterAll(() => scene?.close())
afterEach(() => {
  beforeArm = undefined
})

function createDisk(name: string, properties: Record<string, unknown>): string {
  return scene.azure.createDisk({ name, sizeGib: 1, resourceGroup: 'source', location: SOURCE_REGION, properties }).id
}

test('private access of another region becomes none, of a disk and of a snapshot, and Entra goes on to protect both', async () => {
  const diskId = createDisk('guarded', { ...PRIVATE, ...ENTRA })
  const { point } = await backUpChanged(scene, diskId, SEED)
  const { snapshots, disks } = scene.clients.compute(scene.azure.subscriptionId)
  const { diskId: restored } = await scene.restore({ pointId: point.id })
  expect(await disks.get('restored', restored.replace(/^.*\//, ''))).toMatchObject({ ...ENTRA, ...CLOSED })
  const toSnapshotId = diskId.replace(/source\/(.*)disks\/.*$/, 'restored/$1snapshots/guarded')
  await scene.restore({ pointId: point.id, toSnapshotId })
  expect(await snapshots.get('restored', 'guarded')).toMatchObject({ ...ENTRA, ...CLOSED })
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

  test('costs no restore where Azure refuses it: the warning names it, and what is not refused is set', async () => {
    beforeArm = async ({ operation, body }) =>
      operation === 'Disks_Update' && JSON.stringify(body).includes('P50')
        ? { status: 400, body: { error: { code: 'InvalidParameter', message: 'The tier is not for this disk.' } } }
        : undefined
    const { warnings, disk } = await restoreFrom('refused')
    expect(warnings).toEqual([expect.stringContaining(SET), expect.stringMatching(/without tier P50, maxShares 2, burstingEnabled true, which.*not for this disk.*by hand/)])
    expect(disk).toMatchObject({ networkAccessPolicy: 'DenyAll', tags: { 'snapferry-check': 'passed' } })
  }, 120_000)
})
