/** Steps behind the long ones are tried for as long: a weekend without a worker must not cost a copy of many hours. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { KIB } from '../../domain/byte-range.ts'
import { restoreWorkflowId, verifyWorkflowId } from '../../domain/names.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { VerifyPointInput } from '../../workflows/messages.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, type Scene } from '../support/scene.ts'

const WEEK_SECONDS = 7 * 86_400

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene?.close())

/** The steps of the last run of that id that are given up before a week, by what its history says. */
async function impatientSteps(workflowId: string): Promise<string[]> {
  const { events } = await scene.client.workflow.getHandle(workflowId).fetchHistory()
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: step }) =>
    Number(step?.scheduleToCloseTimeout?.seconds) < WEEK_SECONDS ? [step?.activityType?.name ?? ''] : [],
  )
}

test('of a backup, a restore and a verification, only the steps before the long ones are given up within a week', async () => {
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(64 * KIB, seededRandom(1)))
  const backup = await scene.startBackup(diskId)
  await backup.result()
  expect(await impatientSteps(backup.workflowId)).toEqual(['planBackup', 'takeSourceSnapshot', 'openBaseBlob'])

  const restored = await scene.restore({ diskId })
  expect(await impatientSteps(restoreWorkflowId(restored.diskId))).toEqual(['planRestore', 'makeRestoreDisk'])

  const input: VerifyPointInput = { targetUrl: scene.targetUrl, diskId, level: 'source' }
  const workflowId = verifyWorkflowId(scene.targetUrl, { diskId })
  await scene.client.workflow.execute('verifyPoint', { taskQueue: `${scene.taskQueuePrefix}-control`, workflowId, args: [input] })
  expect(await impatientSteps(workflowId)).toEqual(['planVerification'])
}, 120_000)
