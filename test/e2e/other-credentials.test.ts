/** Who restores need not be who backed up: another identity with the rights that the runbook lists, no more and no fewer. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findDisk } from '../../azure/disks.ts'
import { MIB } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { snapferry } from '../support/cli-process.ts'
import { noise } from '../support/random-disk.ts'
import { rightsFor } from '../support/restore-doc.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

/** Selects the identity of the process; the worker that backs up has another one. */
const RESTORER = 'restorer'
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

/** Where the runbook puts them: on the account of the target, and on the group of the new disk. */
function allow(rights: { readonly onAccount: readonly string[]; readonly onGroup: readonly string[] }): void {
  const groups = `/subscriptions/${scene.azure.subscriptionId}/resourceGroups`
  scene.azure.assignRoles(RESTORER, [
    { actions: [...rights.onAccount], scope: `${groups}/local/providers/Microsoft.Storage/storageAccounts/backups` },
    { actions: [...rights.onGroup], scope: `${groups}/restored` },
  ])
}

async function rescue(toDiskId: string) {
  const args = ['rescue', 'restore', '--target', scene.targetUrl, '--point', pointId, '--to-disk', toDiskId, '--region', TARGET_REGION, '--yes']
  return snapferry(scene, args, { env: { IDENTITY_HEADER: RESTORER, TEMPORAL_ADDRESS: '127.0.0.1:1' } })
}

test('the runbook names the rights', () => {
  expect(READING).toEqual(['Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'])
  expect(MAKING).toHaveLength(5)
})

describe('another identity than that of the backup', () => {
  test('restores with what the runbook lists', async () => {
    allow({ onAccount: READING, onGroup: MAKING })
    const toDiskId = scene.freshDiskId()
    const { exitCode, stdout, stderr } = await rescue(toDiskId)
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`holds point ${pointId}`) })
    expect((await scene.azure.digestDisk(toDiskId)).sha256).toBe(sha256)
    expect((await findDisk(scene.clients, toDiskId))?.tags).toMatchObject({ 'snapferry-check': 'passed' })
    expect(scene.azure.grantedAccess()).toEqual([])
  }, 60_000)

  // Deleting is for what fails alone.
  test.each([...READING, ...MAKING].filter((right) => !right.endsWith('/delete')))('is told that it lacks %s', async (missing) => {
    const without = (rights: readonly string[]): string[] => rights.filter((right) => right !== missing)
    allow({ onAccount: without(READING), onGroup: without(MAKING) })
    const toDiskId = scene.freshDiskId()
    const { exitCode, stderr } = await rescue(toDiskId)
    const [last = ''] = stderr.trimEnd().split('\n').filter((line) => line.includes(missing)).slice(-1)
    expect({ exitCode, last }).toEqual({ exitCode: 6, last: expect.stringContaining(missing) })
    scene.azure.assignRoles(RESTORER, [])
  }, 60_000)
})
