/** What others do to a chain behind its back: the next run sees it, says so, and its point is right. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { BaseBlob } from '../../azure/base-blob.ts'
import { FencedBlob } from '../../azure/fenced-blob.ts'
import { GIB, MIB } from '../../domain/byte-range.ts'
import { digestTableName, manifestName } from '../../domain/names.ts'
import type { RecoveryPoint } from '../../domain/recovery-point.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import { StorageError } from '../../simulator/blob-service/storage-error.ts'
import { noise } from '../support/random-disk.ts'
import { backUpChanged, expectRestorable, expectTidy } from '../support/round-trip.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)

let scene: Scene
let before: ((call: OperationCall) => Promise<void> | void) | undefined
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ blobHooks: { before: (call) => before?.(call) } })
})
afterAll(() => scene?.close())

function baseOf({ baseBlobName }: { baseBlobName: string }): BaseBlob {
  return new BaseBlob(scene.clients, scene.targetUrl, baseBlobName)
}

/** Calls `act` in the place of the first call of an operation on an account of that kind. */
function atFirst(operation: string, isExport: boolean, act: () => Promise<void> | void): void {
  before = async (call) => {
    if (call.operation !== operation || call.account.startsWith('md-') !== isExport) return
    before = undefined
    await act()
  }
}

describe('a run reseeds, names the cause, and its point is right, when', () => {
  test('the newest point was deleted', async () => {
    const diskId = scene.createDisk(1)
    const { point } = await backUpChanged(scene, diskId, SEED)
    await baseOf(point).deleteSnapshot(point.blobSnapshot)
    const next = await backUpChanged(scene, diskId, SEED + 1)
    expect(next.point).toMatchObject({ kind: 'reseed', reseedCause: 'LastPointGone' })
    await expectRestorable(scene, next.point.id, next.sha256)
  }, 120_000)

  test('the base blob was made anew under its own metadata', async () => {
    const diskId = scene.createDisk(1)
    const first = await backUpChanged(scene, diskId, SEED)
    const base = baseOf(first.point)
    const { metadata, sizeBytes } = (await base.properties())!
    const blob = scene.clients.container(scene.targetUrl).getPageBlobClient(base.name)
    await blob.create(sizeBytes, { metadata: { ...metadata } })
    await blob.uploadPages(noise(MIB, seededRandom(SEED)), 8 * MIB, MIB)
    const next = await backUpChanged(scene, diskId, SEED + 1)
    expect(next.point).toMatchObject({ kind: 'reseed', reseedCause: 'BaseBlobOverwritten' })
    await expectRestorable(scene, next.point.id, next.sha256)
    await expectRestorable(scene, first.point.id, first.sha256)
    await expectTidy(scene, diskId, 2)
  }, 120_000)

  test('Azure refuses the diff', async () => {
    const diskId = scene.createDisk(1)
    await backUpChanged(scene, diskId, SEED)
    atFirst('GetPageRangesDiff', true, () => {
      throw new StorageError('PreviousSnapshotOperationNotSupported')
    })
    const next = await backUpChanged(scene, diskId, SEED + 1)
    expect(next.point).toMatchObject({ kind: 'reseed', reseedCause: 'DiffRefused' })
    await expectRestorable(scene, next.point.id, next.sha256)
  }, 120_000)

  test('the cursor snapshot is deleted while the survey reads its diff', async () => {
    const diskId = scene.createDisk(1)
    await backUpChanged(scene, diskId, SEED)
    const [last] = await scene.points(diskId)
    atFirst('GetPageRangesDiff', true, () => scene.azure.deleteSnapshot(last!.source.snapshotId))
    const next = await backUpChanged(scene, diskId, SEED + 1)
    expect(next.point).toMatchObject({ kind: 'reseed', reseedCause: 'CursorSnapshotGone' })
    await expectRestorable(scene, next.point.id, next.sha256)
  }, 120_000)

  test('the disk grew across 4 TiB', async () => {
    const diskId = scene.createDisk(4000)
    await scene.azure.writeDisk(diskId, 3999 * GIB, noise(MIB, seededRandom(SEED)))
    await scene.backUp(diskId)
    scene.azure.growDisk(diskId, 5000)
    await scene.azure.writeDisk(diskId, 4999 * GIB, noise(MIB, seededRandom(SEED + 1)))
    const { sha256 } = await scene.azure.digestDisk(diskId)
    const { point } = await scene.backUp(diskId)
    expect(point).toMatchObject({ kind: 'reseed', reseedCause: 'SizeCrossed4TiB' })
    await expectRestorable(scene, point.id, sha256)
  }, 120_000)
})

describe('a run is incremental and its point is right, when', () => {
  test('a run that had already grown the base blob was terminated, and the disk grew again', async () => {
    const diskId = scene.createDisk(1)
    await backUpChanged(scene, diskId, SEED)
    scene.azure.growDisk(diskId, 2)
    await scene.azure.writeDisk(diskId, GIB, noise(8 * MIB, seededRandom(SEED)))
    let run: { readonly workflowId: string } | undefined
    let terminated = 0
    atFirst('PutPageFromUrl', false, async () => {
      await scene.client.workflow.getHandle(run!.workflowId).terminate('as an operator in a hurry would')
      terminated += 1
    })
    const started = await scene.startBackup(diskId)
    run = started
    await started.result().catch(() => undefined)
    scene.azure.growDisk(diskId, 3)
    const next = await backUpChanged(scene, diskId, SEED + 1)
    expect(terminated).toBe(1)
    expect(next.point).toMatchObject({ kind: 'incremental', sizeBytes: 3 * GIB })
    await expectRestorable(scene, next.point.id, next.sha256)
    await expectTidy(scene, diskId, 2)
  }, 180_000)

  test('the manifest of an older point is damaged, which retention then neither counts nor deletes', async () => {
    const diskId = scene.createDisk(1)
    const points = [await backUpChanged(scene, diskId, SEED), await backUpChanged(scene, diskId, SEED + 1)]
    const { id, baseBlobName, blobSnapshot } = points[0]!.point
    const name = manifestName(baseBlobName.replace(/[^/]*$/, ''), id)
    await scene.clients.container(scene.targetUrl).getBlockBlobClient(name).upload('{"format": 1', 12)
    await scene.backUp(diskId, { retention: { keepLast: 1 } })
    expect(await scene.points(diskId)).toHaveLength(1)
    expect((await baseOf(points[0]!.point).listSnapshots()).map(({ snapshot }) => snapshot)).toContain(blobSnapshot)
  }, 120_000)

  test('the manifest of an older point was archived: it and its snapshot stay, and retention goes on with the others', async () => {
    const diskId = scene.createDisk(1)
    const points = [await backUpChanged(scene, diskId, SEED), await backUpChanged(scene, diskId, SEED + 1)]
    const [archived, other] = points.map(({ point }) => point) as [RecoveryPoint, RecoveryPoint]
    const name = manifestName(archived.baseBlobName.replace(/[^/]*$/, ''), archived.id)
    const rule = scene.azure.faults.add({ operation: 'GetBlob', resource: `*/${name}`, effect: { kind: 'status', status: 409, code: 'BlobArchived' } })
    const { point } = await scene.backUp(diskId, { retention: { keepLast: 1 } })
    expect((await scene.points(diskId)).map(({ id }) => id)).toEqual([point.id])
    scene.azure.faults.remove(rule)
    expect((await scene.points(diskId)).map(({ id }) => id)).toEqual([point.id, archived.id])
    const left = (await baseOf(archived).listSnapshots()).map(({ snapshot }) => snapshot)
    expect(left).toContain(archived.blobSnapshot)
    expect(left).not.toContain(other.blobSnapshot)
    await expectRestorable(scene, archived.id, points[0]!.sha256)
  }, 120_000)

  test('the run before was sealed and lost both its last mark and its manifest', async () => {
    const diskId = scene.createDisk(1)
    const { point } = await backUpChanged(scene, diskId, SEED)
    const base = baseOf(point)
    const { state, etag } = (await base.properties())!
    await base.setState({ ...state!, condition: 'dirty', pending: state!.cursor! }, etag)
    const name = manifestName(base.name.replace(/[^/]*$/, ''), point.id)
    await scene.clients.container(scene.targetUrl).getBlockBlobClient(name).upload('{', 1)
    const next = await backUpChanged(scene, diskId, SEED + 1)
    await expectRestorable(scene, next.point.id, next.sha256)
  }, 120_000)
})

test('what may not be deleted of old points is told by its name, and all else of them goes; the next run deletes the rest', async () => {
  const diskId = scene.createDisk(1)
  const old: RecoveryPoint[] = []
  for (let round = 0; round < 3; round += 1) old.push((await backUpChanged(scene, diskId, SEED + round)).point)
  const [held, refused] = old as [RecoveryPoint, RecoveryPoint, RecoveryPoint]
  const effect = { kind: 'status', status: 409, code: 'BlobImmutableDueToPolicy' } as const
  const rules = [
    scene.azure.faults.add({ operation: 'DeleteBlob', resource: `*/points/${held.id}.json`, effect }),
    scene.azure.faults.add({ operation: 'DeleteBlob', resource: `*/${held.baseBlobName}`, nth: 1, effect }),
  ]
  const { point, warnings } = await scene.backUp(diskId, { retention: { keepLast: 1 } })
  rules.forEach((rule) => scene.azure.faults.remove(rule))
  expect(warnings).toEqual([expect.stringContaining(`points/${held.id}.json`), expect.stringContaining(refused.blobSnapshot)])
  expect((await scene.points(diskId)).map(({ id }) => id)).toEqual([point.id, held.id])
  expect((await baseOf(point).listSnapshots()).map(({ snapshot }) => snapshot)).toEqual([held, refused, point].map(({ blobSnapshot }) => blobSnapshot))
  const tables = await new FencedBlob(scene.clients, scene.targetUrl, digestTableName(point.baseBlobName)).listSnapshots()
  expect(tables).toHaveLength(2)

  expect((await scene.backUp(diskId, { retention: { keepLast: 1 } })).warnings).toEqual([])
  await expectTidy(scene, diskId, 1)
}, 120_000)

test('a base blob that somebody replaced by one of their own is not touched', async () => {
  const diskId = scene.createDisk(1)
  const { point } = await backUpChanged(scene, diskId, SEED)
  await scene.clients.container(scene.targetUrl).getPageBlobClient(point.baseBlobName).create(MIB)
  const failure: unknown = await scene.backUp(diskId).catch((error: unknown) => error)
  expect(failure).toMatchObject({ cause: { cause: { type: 'BaseBlobForeign' } } })
}, 120_000)
