/** The worst that a network does: work is done and its answer is lost. Once on every kind of call, in every step of a run. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { MIB } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import { ConnectionDropped } from '../../simulator/faults/connection-dropped.ts'
import { noise } from '../support/random-disk.ts'
import { backUpChanged, expectRestorable, expectTidy } from '../support/round-trip.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)

let scene: Scene | undefined
/** What has lost an answer since it was last forgotten. */
const lost = new Set<string>()
/** A snapshot was made, and the next read does not know of it. */
let isBehind = false

beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({
    // What answers reads may be behind what answers writes.
    beforeOperation: async ({ operation }) => {
      if (operation === 'Snapshots_CreateOrUpdate') isBehind = true
      if (operation === 'Snapshots_GrantAccess') isBehind = false
      if (operation !== 'Snapshots_Get' || !isBehind) return undefined
      isBehind = false
      return { status: 404, body: { error: { code: 'ResourceNotFound', message: 'The snapshot was not found.' } } }
    },
    // A read that is repeated can do no harm, and waits for nothing in here.
    isAnswerLost: (method, path) => method !== 'GET' && isFirst(`${method} ${kindOfResource(path)}`),
    blobHooks: {
      after(call) {
        if (isFirst(`${call.operation} ${kindOfBlob(call)}`)) throw new ConnectionDropped()
      },
    },
  })
})
afterAll(() => scene?.close())

function isFirst(kind: string): boolean {
  if (scene === undefined || lost.has(kind)) return false
  lost.add(kind)
  return true
}

/** What a path is of: a snapshot, a list of them, an action on one. */
function kindOfResource(path: string): string {
  return path.replace(/^.*\/Microsoft\.Compute\//i, '').replace(/\/[^/]+/, '/*').replace(/\/DiskOperations\/.*/i, '/DiskOperations')
}

function kindOfBlob({ account, blob }: OperationCall): string {
  return account.startsWith('md-') ? 'export' : blob.replace(/^.*\//, '').replace(/^\d{8}T.*\.json$/, 'manifest')
}

test('no lost answer makes a second snapshot or a second point, or a wrong one', async () => {
  if (scene === undefined) throw new Error('no scene')
  const diskId = scene.createDisk(1)
  // Behind what changes at random, so that there is always something to clear.
  await scene.azure.writeDisk(diskId, 40 * MIB, noise(MIB, seededRandom(SEED)))
  const full = await backUpChanged(scene, diskId, SEED)
  expect([...lost]).toEqual(
    expect.arrayContaining([
      'PUT snapshots/*',
      'POST snapshots/*/beginGetAccess',
      'POST snapshots/*/endGetAccess',
      'PutBlob base.vhd',
      'PutPageFromUrl base.vhd',
      'SetBlobProperties base.vhd',
      'SnapshotBlob base.vhd',
      'PutBlob manifest',
      'SetBlobMetadata base.vhd',
    ]),
  )
  await expectTidy(scene, diskId, 1)

  lost.clear()
  scene.azure.clearDisk(diskId, 40 * MIB, MIB)
  const incremental = await backUpChanged(scene, diskId, SEED + 1)
  expect(incremental.point.kind).toBe('incremental')
  expect([...lost]).toEqual(expect.arrayContaining(['DELETE snapshots/*', 'GetPageRangesDiff export', 'ClearPages base.vhd']))
  await expectTidy(scene, diskId, 2)

  lost.clear()
  await expectRestorable(scene, full.point.id, full.sha256)
  expect([...lost]).toEqual(expect.arrayContaining(['PUT disks/*', 'POST disks/*/beginGetAccess', 'POST disks/*/endGetAccess', 'PutPageFromUrl export']))
  await expectRestorable(scene, incremental.point.id, incremental.sha256)
  expect(scene.azure.grantedAccess()).toEqual([])

  lost.clear()
  const { point } = await scene.backUp(diskId, { retention: { keepLast: 1 } })
  expect([...lost]).toEqual(expect.arrayContaining(['DeleteBlob base.vhd', 'DeleteBlob manifest']))
  await expectTidy(scene, diskId, 1)
  await expectRestorable(scene, point.id, incremental.sha256)
}, 300_000)
