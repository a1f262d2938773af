/** A restore outlives its worker, and a cancel takes away what it has made, by whichever way it went. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { listBlobs } from '../../azure/blob-lists.ts'
import { findDisk } from '../../azure/disks.ts'
import { MIB } from '../../domain/byte-range.ts'
import { restoreWorkflowId } from '../../domain/names.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import type { RestoreDiskInput, RestoreDiskResult } from '../../workflows/messages.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, SOURCE_REGION, TARGET_REGION, type Scene } from '../support/scene.ts'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts'

const CHUNKS = 32

let scene: Scene
let diskId: string
let sha256: string
let before: ((call: OperationCall) => Promise<void> | void) | undefined
const workers: WorkerProcess[] = []
beforeAll(async () => {
  scene = await openScene({ hasWorker: false, blobHooks: { before: (call) => before?.(call) } })
  for (const [name, location] of [['restored', TARGET_REGION], ['beside', SOURCE_REGION]] as const) scene.azure.createResourceGroup({ name, location })
  diskId = scene.createDisk(1, 'durable')
  for (let index = 0; index < CHUNKS; index++) await scene.azure.writeDisk(diskId, index * 4 * MIB, noise(4 * MIB, seededRandom(index)))
  ;({ sha256 } = await scene.azure.digestDisk(diskId))
  const first = worker()
  await scene.backUp(diskId)
  await first.kill()
}, 240_000)
afterEach(async () => {
  before = undefined
  for (const started of workers.splice(0)) await started.kill()
  expect(scene.azure.grantedAccess()).toEqual([])
})
afterAll(() => scene?.close())

function worker(): WorkerProcess {
  const started = startWorkerProcess(scene)
  workers.push(started)
  return started
}

async function startRestore(input: Omit<RestoreDiskInput, 'targetUrl'>) {
  return scene.client.workflow.start('restoreDisk', {
    taskQueue: `${scene.taskQueuePrefix}-control`,
    workflowId: restoreWorkflowId(input.toDiskId ?? input.toSnapshotId ?? ''),
    args: [{ targetUrl: scene.targetUrl, ...input }],
  })
}

/** Resolves at the request of that kind that follows `count` of them, and holds it until `release` is called. */
function holdAfter(count: number, isMeant: (call: OperationCall) => boolean): { reached: Promise<void>; release: () => void } {
  let seen = 0
  let release = (): void => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const reached = new Promise<void>((resolve) => {
    before = async (call) => {
      if (!isMeant(call)) return
      seen += 1
      if (seen <= count) return
      resolve()
      await held
    }
  })
  return { reached, release }
}

const isUploaded = ({ operation, account }: OperationCall): boolean => operation === 'PutPageFromUrl' && account.startsWith('md-')
const isReadBack = ({ operation, account }: OperationCall): boolean => operation === 'GetBlob' && account.startsWith('md-')

test('a restore whose worker is killed in mid-transfer goes on with another one', async () => {
  const first = worker()
  const toDiskId = scene.freshDiskId()
  const { reached, release } = holdAfter(CHUNKS / 2, isUploaded)
  const run = await startRestore({ diskId, toDiskId, region: TARGET_REGION })
  await reached
  await first.kill()
  before = undefined
  release()
  worker()
  const result = (await run.result()) as RestoreDiskResult
  expect(result).toMatchObject({ resourceId: toDiskId, warnings: [] })
  expect((await scene.azure.digestDisk(toDiskId)).sha256).toBe(sha256)
}, 240_000)

test.each([
  ['an upload in mid-transfer', () => ({ way: 'upload', region: TARGET_REGION, toDiskId: scene.freshDiskId() }), 4, isUploaded],
  ['an upload while it is compared', () => ({ way: 'upload', region: TARGET_REGION, toDiskId: scene.freshDiskId() }), 0, isReadBack],
  ['an import while its disk is compared', () => ({ way: 'import', storageAccountId: accountId(), region: TARGET_REGION, toDiskId: scene.freshDiskId() }), 0, isReadBack],
  ['a snapshot while its temporary disk is compared', () => ({ way: 'source-snapshot', region: SOURCE_REGION, toSnapshotId: snapshotBeside() }), 0, isReadBack],
] as [string, () => Omit<RestoreDiskInput, 'targetUrl'>, number, (call: OperationCall) => boolean][])('cancelling %s leaves nothing behind', async (_what, wish, count, isMeant) => {
  worker()
  const disksBefore = await allDisks()
  const { reached, release } = holdAfter(count, isMeant)
  const input = wish()
  const run = await startRestore({ diskId, ...input })
  await reached
  await scene.client.workflow.getHandle(run.workflowId).cancel()
  before = undefined
  release()
  await expect(run.result()).rejects.toThrow()
  expect(await allDisks()).toEqual(disksBefore)
  if (input.toDiskId !== undefined) expect(await findDisk(scene.clients, input.toDiskId)).toBeUndefined()
  const blobs: string[] = []
  for await (const { name } of listBlobs(scene.clients, scene.targetUrl, { prefix: '' })) blobs.push(name)
  expect(blobs.filter((name) => name.includes('/tmp/'))).toEqual([])
}, 240_000)

function accountId(): string {
  return `/subscriptions/${scene.azure.subscriptionId}/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/backups`
}

function snapshotBeside(): string {
  return diskId.replace(/source\/(.*)\/disks\/.*$/, 'beside/$1/snapshots/never')
}

async function allDisks(): Promise<string[]> {
  const ids: string[] = []
  for await (const { id = '' } of scene.clients.compute(scene.azure.subscriptionId).disks.list()) ids.push(id.toLowerCase())
  return ids.sort()
}
