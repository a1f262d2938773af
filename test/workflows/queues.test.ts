/** Task queues by urgency: whoever waits for a disk does not wait for the backups of a thousand others, and no backup for their verifications. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { armIdOf, parseArmId } from '../../domain/arm-id.ts'
import { KIB } from '../../domain/byte-range.ts'
import type { DrillRule } from '../../domain/drill.ts'
import { drillDiskName, drillWorkflowId, restoreWorkflowId, verifyWorkflowId } from '../../domain/names.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { taskQueuesOf, type DrillRestoreInput, type VerifyPointInput } from '../../workflows/messages.ts'
import { runCli } from '../client/support/cli.ts'
import { temporalAddress } from '../support/environment.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, startWorker, TARGET_REGION, type Scene } from '../support/scene.ts'

const RULE: DrillRule = { region: TARGET_REGION, resourceGroup: 'drills', point: 'newest', disks: 'one', timeoutMinutes: 10, alertAfterMs: 3_600_000 }

let scene: Scene
let stopWorker: (() => Promise<void>) | undefined
beforeAll(async () => {
  scene = await openScene({ hasWorker: false })
})
afterAll(async () => {
  await stopWorker?.()
  await scene?.close()
})

test('while nobody takes a step of a backup, status says what it waits for, and a restore goes through', async () => {
  const { data, ...otherQueues } = taskQueuesOf(scene.taskQueuePrefix)
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(64 * KIB, seededRandom(1)))
  stopWorker = await startWorker(scene.engine, { data, ...otherQueues })
  const { point } = await scene.backUp(diskId)
  await stopWorker()
  stopWorker = await startWorker(scene.engine, otherQueues)

  const backup = await scene.startBackup(diskId)
  const restored = await scene.restore({ pointId: point.id })
  expect(await scene.azure.digestDisk(restored.diskId)).toEqual(await scene.azure.digestDisk(diskId))

  const status = await untilWaiting(backup.workflowId)
  expect(status).toMatch(/surveyChanges has waited [\dms ]+ for a worker: all are busy, or none polls its task queue/)

  const stopData = await startWorker(scene.engine, { data })
  expect(await backup.result()).toMatchObject({ point: { diskId } })
  await stopData()
}, 180_000)

test('while nobody takes a step of a verification or a drill, backups and restores go through', async () => {
  await stopWorker?.()
  const { verify, ...otherQueues } = taskQueuesOf(scene.taskQueuePrefix)
  stopWorker = await startWorker(scene.engine, otherQueues)
  scene.azure.createResourceGroup({ name: 'drills', location: TARGET_REGION })
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(64 * KIB, seededRandom(2)))
  await scene.backUp(diskId)
  const { targetUrl } = scene
  const start = (type: string, workflowId: string, input: object) => scene.client.workflow.start(type, { taskQueue: otherQueues.control, workflowId, args: [input] })
  const verification = await start('verifyPoint', verifyWorkflowId(targetUrl, { diskId }), { targetUrl, diskId, level: 'full' } satisfies VerifyPointInput)
  const drill = await start('drillRestore', drillWorkflowId(diskId, targetUrl), { targetUrl, diskId, rule: RULE } satisfies DrillRestoreInput)
  const drillsRestore = restoreWorkflowId(armIdOf({ ...parseArmId(diskId, 'disks'), resourceGroup: RULE.resourceGroup, name: drillDiskName(diskId, targetUrl) }).id)
  expect(await untilWaiting(verification.workflowId)).toMatch(/verifyExtent has waited/)
  expect(await untilWaiting(drillsRestore)).toMatch(/surveyPoint has waited/)

  const { point } = await scene.backUp(diskId)
  await scene.restore({ pointId: point.id })
  const stopVerify = await startWorker(scene.engine, { verify })
  expect(await verification.result()).toMatchObject({ level: 'full' })
  expect(await drill.result()).toMatchObject({ verdict: 'passed' })
  await stopVerify()
}, 120_000)

/** What `status` prints as soon as it says that the run waits. */
async function untilWaiting(workflowId: string): Promise<string> {
  for (;;) {
    const { stdout } = await runCli(['status'], { TEMPORAL_ADDRESS: temporalAddress(), SNAPFERRY_TASK_QUEUE: scene.taskQueuePrefix })
    const [, after] = stdout.split(`\n\n${workflowId}\n`)
    if (after !== undefined) return after
  }
}
