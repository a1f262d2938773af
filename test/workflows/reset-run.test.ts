/** `temporal workflow reset` of a run: what it has made by then is its own, so it comes to its end. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { listPoints } from '../../azure/manifests.ts'
import { MIB } from '../../domain/byte-range.ts'
import type { BackupOptions } from '../../domain/policy.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { BackupDiskResult } from '../../workflows/messages.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

const COPY_START: Partial<BackupOptions> = { copyStart: { resourceGroup: 'copies', region: TARGET_REGION } }

let scene: Scene
/** Done once, when the first page is copied, or read of a snapshot. */
let onFirstPage: (() => Promise<void>) | undefined
beforeAll(async () => {
  scene = await openScene({
    blobHooks: {
      async before({ operation, account }) {
        if (operation !== 'PutPageFromUrl' && !(operation === 'GetBlob' && account.startsWith('md-'))) return
        const act = onFirstPage
        onFirstPage = undefined
        await act?.()
      },
    },
  })
  scene.azure.createResourceGroup({ name: 'copies', location: TARGET_REGION })
})
afterAll(() => scene?.close())
afterEach(() => {
  expect(onFirstPage).toBeUndefined()
  expect(scene.azure.grantedAccess()).toEqual([])
})

/** Starts the run again from the decision that led to the activity. */
async function resetTo(workflowId: string, activity: string): Promise<void> {
  const { events } = await scene.client.workflow.getHandle(workflowId).fetchHistory()
  const scheduled = events?.find((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity)
  await scene.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId },
    workflowTaskFinishEventId: scheduled?.activityTaskScheduledEventAttributes?.workflowTaskCompletedEventId ?? null,
    requestId: workflowId,
    reason: 'a test',
  })
}

test.each([
  ['that ferries', 'transferExtent', {}],
  ['that lets Azure copy', 'verifyCopiedSnapshot', COPY_START],
] as const)('a backup %s is reset while it moves bytes, and makes the point that it had begun', async (_how, activity, options) => {
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(1)))
  let workflowId = ''
  const isReset = new Promise<void>((resolve, reject) => {
    onFirstPage = () => resetTo(workflowId, activity).then(resolve, reject)
  })
  const run = await scene.startBackup(diskId, options)
  workflowId = run.workflowId
  await isReset
  const { point } = (await scene.client.workflow.getHandle(workflowId).result()) as BackupDiskResult
  const { points } = await listPoints(scene.clients, scene.targetUrl, { diskId })
  expect(points.map(({ id }) => id)).toEqual([point.id])
  expect((await scene.sourceSnapshots()).filter((name) => name.includes(diskId.replace(/^.*\//, '')))).toHaveLength(1)
}, 120_000)
