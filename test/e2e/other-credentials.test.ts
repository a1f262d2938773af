/** Who restores need not be who backed up: another identity with the rights that the runbook lists, no more and no fewer. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { MIB } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { snapferry } from '../support/cli-process.ts'
import { noise } from '../support/random-disk.ts'
import { rightsFor } from '../support/restore-doc.ts'
import { openScene, SOURCE_REGION, TARGET_REGION, type Scene } from '../support/scene.ts'

/** Selects the identity of the process; the worker that backs up has another one. */
const RESTORER = 'restorer'
const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'
const READING = rightsFor('reading the target')
const MAKING = rightsFor('making the disk')

let scene: Scene
let pointId: string
let sha256: string
beforeAll(async () => {
  scene = await openScene()
  scene.azure.createResourceGroup({ name: 'restored', location: TARGET_REGION })
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(4 * MIB, seededRandom(1)))
  sha256 = (await scene.azure.digestDisk(diskId)).sha256
  pointId = (await scene.backUp(diskId)).point.id
}, 120_000)
afterAll(() => scene?.close())

function accountId(): string {
  return `/subscriptions/${scene.azure.subscriptionId}/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/backups`
}

/** Where the runbook puts them: on the account of the target, and on the group of the new disk. */
function allow(rights: { readonly onAccount: readonly string[]; readonly onGroup: readonly string[] }): void {
  const groups = `/subscriptions/${scene.azure.subscriptionId}/resourceGroups`
  scene.azure.assignRoles(RESTORER, [
    { actions: [...rights.onAccount], scope: accountId() },
    { actions: [...rights.onGroup], scope: `${groups}/restored` },
  ])
}

async function rescue(args: readonly string[]) {
  const command = ['rescue', 'restore', '--target', scene.targetUrl, '--point', pointId, '--region', TARGET_REGION, '--yes', ...args]
  return snapferry(scene, command, { env: { IDENTITY_HEADER: RESTORER, TEMPORAL_ADDRESS: '127.0.0.1:1' } })
}

let made = 0
function freshSnapshotId(): string {
  made += 1
  return scene.freshDiskId().replace(/disks\/.*$/, `snapshots/made-${made}`)
}

interface Way {
  readonly name: string
  readonly toId: () => string
  readonly args: (toId: string) => string[]
  readonly onAccount: readonly string[]
  readonly onGroup: readonly string[]
}

const isStorage = (right: string): boolean => right.startsWith('Microsoft.Storage/')

const WAYS: readonly Way[] = [
  { name: 'a disk', toId: () => scene.freshDiskId(), args: (id) => ['--to-disk', id], onAccount: READING, onGroup: MAKING },
  {
    name: 'a disk by import',
    toId: () => scene.freshDiskId(),
    args: (id) => ['--to-disk', id, '--import', '--storage-account-id', accountId()],
    onAccount: [...READING, ...rightsFor('D').filter(isStorage)],
    onGroup: MAKING,
  },
  { name: 'a snapshot', toId: freshSnapshotId, args: (id) => ['--to-snapshot', id], onAccount: READING, onGroup: [...MAKING, ...rightsFor('E')] },
]

/** Deleting a disk is for what fails alone, or for what is temporary. */
const NEEDED = WAYS.flatMap((way) =>
  [...way.onAccount, ...way.onGroup].filter((right) => !/\/(disks|snapshots)\/delete$/.test(right)).map((missing) => ({ ...way, missing })),
)

test('the runbook names the rights', () => {
  expect(READING).toEqual([`${BLOBS}/read`])
  expect(rightsFor('D')).toEqual(['Microsoft.Storage/storageAccounts/read', `${BLOBS}/write`, `${BLOBS}/delete`])
  expect([MAKING.length, rightsFor('E').length]).toEqual([5, 3])
})

describe('another identity than that of the backup', () => {
  test.each(WAYS)('makes $name with what the runbook lists', async ({ toId, args, onAccount, onGroup }) => {
    allow({ onAccount, onGroup })
    const id = toId()
    const { exitCode, stdout, stderr } = await rescue(args(id))
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`holds point ${pointId}`) })
    expect((await scene.azure.digestDisk(id)).sha256).toBe(sha256)
    expect(scene.azure.grantedAccess()).toEqual([])
  }, 60_000)

  test.each(NEEDED)('that makes $name is told that it lacks $missing', async ({ toId, args, onAccount, onGroup, missing }) => {
    const without = (rights: readonly string[]): string[] => rights.filter((right) => right !== missing)
    allow({ onAccount: without(onAccount), onGroup: without(onGroup) })
    const { exitCode, stderr } = await rescue(args(toId()))
    // The plan that comes first names it as well; the end is what counts.
    expect({ exitCode, end: endOf(stderr) }).toEqual({ exitCode: 6, end: expect.stringContaining(missing) })
  }, 60_000)
})

describe('a swap by another identity than that of the restore', () => {
  async function swap(actions: readonly string[]) {
    const [old, fresh] = [scene.createDisk(1), scene.createDisk(1)]
    const { id: vm = '' } = await scene.clients.compute(scene.azure.subscriptionId).virtualMachines.createOrUpdate('source', `vm-${old.slice(-8)}`, {
      location: SOURCE_REGION,
      storageProfile: { dataDisks: [{ lun: 0, createOption: 'Attach', managedDisk: { id: old } }] },
    })
    scene.azure.assignRoles(RESTORER, [{ actions: [...actions], scope: `/subscriptions/${scene.azure.subscriptionId}/resourceGroups/source` }])
    return snapferry(scene, ['restore', 'swap', '--vm', vm, '--disk', old, '--with', fresh], { env: { IDENTITY_HEADER: RESTORER } })
  }

  test('needs what the runbook lists', async () => {
    expect(await swap(rightsFor('G'))).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('is kept') })
  })

  test.each(rightsFor('G'))('is told that it lacks %s', async (missing) => {
    const { exitCode, stderr } = await swap(rightsFor('G').filter((right) => right !== missing))
    expect({ exitCode, stderr }).toEqual({ exitCode: 6, stderr: expect.stringContaining(missing) })
  })
})

/** From where the failure is told. */
function endOf(stderr: string): string {
  return stderr.slice(stderr.search(/^error/m))
}
