/** Somebody cancels a run while a call to Azure is on its way: what the call makes is taken back all the same. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { findDisk } from '../../azure/disks.ts'
import { MIB } from '../../domain/byte-range.ts'
import { restoreWorkflowId } from '../../domain/names.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { restoreDisk } from '../../workflows/index.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

/** A run that does not wait for its call has ended by then. */
const PATIENCE_MS = 4000

let scene: Scene
/** The next call of the operation is held; `letGo` sends it on. */
let held: { readonly operation: string; readonly reached: () => void; readonly release: Promise<void> } | undefined
beforeAll(async () => {
  scene = await openScene({
    blobHooks: { before: ({ operation, account }) => (account.startsWith('md-') ? hold(operation) : undefined) },
    beforeOperation: async (call) => {
      await hold(call.operation)
      return undefined
    },
  })
})
afterAll(() => scene?.close())
beforeEach(() => {
  held = undefined
})

async function hold(operation: string): Promise<void> {
  if (held?.operation !== operation) return
  const { reached, release } = held
  held = undefined
  reached()
  await release
}

/** Cancels a run while a call of this operation is held, and lets the call go on when the run is over, or waits for it. */
async function cancelDuring(operation: string, start: () => Promise<{ readonly workflowId: string; result(): Promise<unknown> }>): Promise<void> {
  let letGo = (): void => {}
  const release = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const isReached = new Promise<void>((resolve) => {
    held = { operation, reached: resolve, release }
  })
  const run = await start()
  const ended = run.result().then(
    () => 'made',
    () => 'cancelled',
  )
  await isReached
  await scene.client.workflow.getHandle(run.workflowId).cancel()
  await Promise.race([ended, sleep(PATIENCE_MS)])
  letGo()
  expect(await ended).toBe('cancelled')
}

async function changedDisk(): Promise<string> {
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(1)))
  return diskId
}

test('a backup: the snapshot whose PUT was on its way', async () => {
  const diskId = await changedDisk()
  const before = await scene.sourceSnapshots()
  await cancelDuring('Snapshots_CreateOrUpdate', () => scene.startBackup(diskId))
  expect(await scene.sourceSnapshots()).toEqual(before)
}, 60_000)

test('a backup: the access that its survey reads with', async () => {
  const diskId = await changedDisk()
  await scene.backUp(diskId)
  await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(2)))
  await cancelDuring('GetPageRangesDiff', () => scene.startBackup(diskId))
  // A step that lives on would take its access anew.
  for (let until = Date.now() + PATIENCE_MS; Date.now() < until && scene.azure.grantedAccess().length === 0; ) await sleep(100)
  expect(scene.azure.grantedAccess()).toEqual([])
}, 60_000)

test('a restore: the disk whose PUT was on its way', async () => {
  const { point } = await scene.backUp(await changedDisk())
  const toDiskId = scene.freshDiskId()
  scene.azure.createResourceGroup({ name: 'restored', location: TARGET_REGION })
  await cancelDuring('Disks_CreateOrUpdate', () =>
    scene.client.workflow.start<typeof restoreDisk>('restoreDisk', {
      taskQueue: `${scene.taskQueuePrefix}-control`,
      workflowId: restoreWorkflowId(toDiskId),
      args: [{ targetUrl: scene.targetUrl, pointId: point.id, toDiskId, region: TARGET_REGION }],
    }),
  )
  expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()
}, 60_000)
