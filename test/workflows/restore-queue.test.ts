/** Restores have task queues of their own: whoever waits for a disk does not wait for the backups of a thousand others. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { KIB } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { taskQueuesOf } from '../../workflows/messages.ts'
import { runCli } from '../client/support/cli.ts'
import { temporalAddress } from '../support/environment.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, startWorker, type Scene } from '../support/scene.ts'

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

/** What `status` prints as soon as it says that the run waits. */
async function untilWaiting(workflowId: string): Promise<string> {
  for (;;) {
    const { stdout } = await runCli(['status'], { TEMPORAL_ADDRESS: temporalAddress(), SNAPFERRY_TASK_QUEUE: scene.taskQueuePrefix })
    const [, after] = stdout.split(`\n\n${workflowId}\n`)
    if (after !== undefined) return after
  }
}
