/** Somebody cancels one run of many by itself: it has failed, and the others go on. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/client'
import { KIB } from '../../domain/byte-range.ts'
import type { DrillRule } from '../../domain/drill.ts'
import { armIdOf, parseArmId } from '../../domain/arm-id.ts'
import { backupWorkflowId, drillDiskName, drillWorkflowId, restoreWorkflowId } from '../../domain/names.ts'
import { DEFAULT_OPTIONS } from '../../domain/policy.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { drillPolicy, restoreGroup, runPolicy } from '../../workflows/index.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

const RULE: DrillRule = { region: TARGET_REGION, resourceGroup: 'drills', point: 'newest', disks: 'all', timeoutMinutes: 10, alertAfterMs: 3_600_000 }

let scene: Scene
/** Cancelled as soon as bytes are moved. */
let victim: string | undefined
beforeAll(async () => {
  scene = await openScene({
    blobHooks: {
      async before({ operation }) {
        if (operation !== 'PutPageFromUrl' || victim === undefined) return
        const workflowId = victim
        victim = undefined
        await scene.client.workflow.getHandle(workflowId).cancel().catch((error: unknown) => {
          if (!(error instanceof WorkflowNotFoundError)) throw error
          // Bytes of another disk came first: the next call tries again.
          victim = workflowId
        })
      },
    },
  })
  for (const name of ['drills', 'restored']) scene.azure.createResourceGroup({ name, location: TARGET_REGION })
})
afterAll(() => scene?.close())
afterEach(() => {
  expect(victim).toBeUndefined()
  expect(scene.azure.grantedAccess()).toEqual([])
})

async function writtenDisks(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => scene.createDisk(1))
  for (const [index, id] of ids.entries()) await scene.azure.writeDisk(id, 0, noise(64 * KIB, seededRandom(index)))
  return ids
}

async function backedUp(count: number): Promise<{ diskId: string; pointId: string }[]> {
  const diskIds = await writtenDisks(count)
  return Promise.all(diskIds.map(async (diskId) => ({ diskId, pointId: (await scene.backUp(diskId)).point.id })))
}

const taskQueue = (): string => `${scene.taskQueuePrefix}-control`

async function failureOf(work: Promise<unknown>): Promise<ApplicationFailure> {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (caught: unknown) => caught,
  )
  if (error instanceof Error && error.cause instanceof ApplicationFailure) return error.cause
  throw error
}

test('of a policy: the other disks get their points, and the run fails with what became of each disk', async () => {
  const diskIds = await writtenDisks(3)
  victim = backupWorkflowId(diskIds[0]!, scene.targetUrl)
  const policy = { name: 'nightly', targetUrl: scene.targetUrl, diskIds, options: DEFAULT_OPTIONS, maxConcurrentDisks: 1 }
  const { type, message, details } = await failureOf(
    scene.client.workflow.execute<typeof runPolicy>('runPolicy', { taskQueue: taskQueue(), workflowId: `policy/${scene.taskQueuePrefix}`, args: [{ policy }] }),
  )
  expect({ type, message }).toEqual({ type: 'RunFailed', message: expect.stringContaining('1 of 3 disks of policy nightly have no new point') })
  const reason = 'it was cancelled'
  expect(details).toMatchObject([{ disks: [{ outcome: 'failed', reason }, { outcome: 'succeeded' }, { outcome: 'succeeded' }] }])
}, 120_000)

test('of the drills of a policy, or of the restore in one: the others are done, and that one is told as cancelled', async () => {
  const diskIds = (await backedUp(2)).map(({ diskId }) => diskId)
  const [diskId = ''] = diskIds
  const restored = armIdOf({ ...parseArmId(diskId, 'disks'), resourceGroup: 'drills', name: drillDiskName(diskId, scene.targetUrl) }).id
  for (const cancelled of [drillWorkflowId(diskId, scene.targetUrl), restoreWorkflowId(restored)]) {
    victim = cancelled
    const { type, details } = await failureOf(
      scene.client.workflow.execute<typeof drillPolicy>('drillPolicy', {
        taskQueue: taskQueue(),
        workflowId: `drill/${scene.taskQueuePrefix}`,
        args: [{ policy: 'drilled', targetUrl: scene.targetUrl, diskIds, rule: RULE }],
      }),
    )
    expect(type).toBe('DrillFailed')
    expect(details).toMatchObject([{ disks: [{ outcome: 'failed', reason: expect.stringContaining('it was cancelled') }, { outcome: 'passed' }] }])
  }
}, 120_000)

test('of a group that may be partial: the others stay restored', async () => {
  const members = (await backedUp(2)).map((point) => ({ ...point, takenAt: '2026-11-26T10:00:00.000Z', toDiskId: scene.freshDiskId() }))
  victim = restoreWorkflowId(members[0]!.toDiskId)
  const { members: outcomes } = await scene.client.workflow.execute<typeof restoreGroup>('restoreGroup', {
    taskQueue: taskQueue(),
    workflowId: `group/${scene.taskQueuePrefix}`,
    args: [{ targetUrl: scene.targetUrl, members, how: { region: TARGET_REGION }, isPartial: true }],
  })
  expect(outcomes).toMatchObject([{ outcome: 'failed', reason: 'it was cancelled' }, { outcome: 'restored' }])
}, 120_000)
