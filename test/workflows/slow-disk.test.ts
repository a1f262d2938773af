/** A disk whose backup takes long, or never ends, keeps no other disk of its policy from its backups. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { WorkflowHandle } from '@temporalio/client'
import { scheduleOptionsOf } from '../../client/policy-schedule.ts'
import { KIB } from '../../domain/byte-range.ts'
import { backupWorkflowId, policyTurnWorkflowId } from '../../domain/names.ts'
import { DEFAULT_OPTIONS, type Policy } from '../../domain/policy.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { runPolicy } from '../../workflows/index.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, type Scene } from '../support/scene.ts'

let scene: Scene
/** Its bytes are moved when it is let go. */
let held: { readonly diskName: string; readonly isFree: Promise<void>; letGo(): void } | undefined
beforeAll(async () => {
  scene = await openScene({
    blobHooks: {
      async before({ operation, blob }) {
        if (operation === 'PutPageFromUrl' && held !== undefined && blob?.includes(held.diskName)) await held.isFree
      },
    },
  })
})
afterAll(() => scene?.close())
afterEach(() => held?.letGo())

async function writtenDisk(name: string): Promise<string> {
  const id = scene.createDisk(1, name)
  await scene.azure.writeDisk(id, 0, noise(64 * KIB, seededRandom(1)))
  return id
}

function hold(diskName: string): void {
  let letGo = (): void => {}
  const isFree = new Promise<void>((resolve) => (letGo = resolve))
  held = { diskName, isFree, letGo: () => letGo() }
}

async function statusOf(workflowId: string): Promise<string | undefined> {
  const found = await scene.client.workflow
    .getHandle(workflowId)
    .describe()
    .catch(() => undefined)
  return found?.status.name
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 100))
}

const policyOf = (name: string, diskIds: readonly string[], maxConcurrentDisks: number): Policy => ({
  name: `${name}-${scene.taskQueuePrefix}`,
  targetUrl: scene.targetUrl,
  diskIds,
  options: DEFAULT_OPTIONS,
  maxConcurrentDisks,
})

function start(policy: Policy): Promise<WorkflowHandle<typeof runPolicy>> {
  const workflowId = `policy/${policy.name}-${crypto.randomUUID()}`
  return scene.client.workflow.start<typeof runPolicy>('runPolicy', { taskQueue: `${scene.taskQueuePrefix}-control`, workflowId, args: [{ policy }] })
}

test('the schedule goes on with the other disks while one is stuck', async () => {
  const [slow, quick] = [await writtenDisk('slow-one'), await writtenDisk('quick-one')]
  hold('slow-one')
  const policy = policyOf('scheduled', [slow, quick], 8)
  const options = scheduleOptionsOf({ policy, schedule: { kind: 'every', everyMs: 3_000, offsetMs: 0 }, jitterMs: 0, catchUpWindowMs: 60_000, isPaused: false }, scene.taskQueuePrefix)
  const schedule = await scene.client.schedule.create(options)
  await until(async () => (await scene.points(quick)).length >= 3)
  expect(await statusOf(backupWorkflowId(slow, scene.targetUrl))).toBe('RUNNING')
  expect(await scene.points(slow)).toEqual([])
  await schedule.delete()
  held?.letGo()
  await until(async () => (await scene.points(slow)).length === 1)
}, 120_000)

test('while a run has disks to begin, another one leaves all to it; afterwards it leaves out only what is under way', async () => {
  const [slow, next] = [await writtenDisk('slow-two'), await writtenDisk('next-two')]
  hold('slow-two')
  const policy = policyOf('in-turns', [slow, next], 1)
  const first = await start(policy)
  await until(async () => (await statusOf(backupWorkflowId(slow, scene.targetUrl))) === 'RUNNING')
  const skipped = { outcome: 'skipped', reason: 'another run of the policy has disks yet to begin' }
  expect((await (await start(policy)).result()).disks).toMatchObject([skipped, skipped])
  held?.letGo()
  expect((await first.result()).disks).toMatchObject([{ outcome: 'succeeded' }, { outcome: 'succeeded' }])
  await until(async () => (await statusOf(policyTurnWorkflowId(policy.name))) === 'COMPLETED')

  hold('slow-two')
  await scene.azure.writeDisk(slow, 0, noise(64 * KIB, seededRandom(2)))
  const reversed = { ...policy, diskIds: [next, slow] }
  const second = await start(reversed)
  await until(async () => (await statusOf(backupWorkflowId(slow, scene.targetUrl))) === 'RUNNING')
  await until(async () => (await statusOf(policyTurnWorkflowId(policy.name))) === 'COMPLETED')
  expect((await (await start(reversed)).result()).disks).toMatchObject([{ outcome: 'succeeded' }, { outcome: 'skipped' }])
  held?.letGo()
  expect((await second.result()).disks).toMatchObject([{ outcome: 'succeeded' }, { outcome: 'succeeded' }])
}, 120_000)
