/** What a policy's run says of its disks stays small: Temporal takes 2 MiB, and a policy may have thousands of disks. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client'
import { KIB } from '../../domain/byte-range.ts'
import type { DrillRule } from '../../domain/drill.ts'
import { DEFAULT_OPTIONS } from '../../domain/policy.ts'
import { MAX_REASON_LENGTH } from '../../workflows/describe-cause.ts'
import type { DiskOutcome } from '../../workflows/messages.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

const DISKS = 1000
const RULE: DrillRule = { region: TARGET_REGION, resourceGroup: 'drills', point: 'newest', disks: 'all', timeoutMinutes: 10, alertAfterMs: 3_600_000 }

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene?.close())

test.each(['runPolicy', 'drillPolicy'])('of %s: a disk that fails of 3 KiB of text is told of in so few words that a thousand stay far below the limit', async (workflowType) => {
  const targetUrl = scene.targetUrl
  const [resourceGroup, diskId] = ['g'.repeat(3 * KIB), scene.freshDiskId()]
  const long = diskId.replace(/resourceGroups\/[^/]+/, `resourceGroups/${resourceGroup}`)
  const policy = { name: 'wordy', targetUrl, diskIds: [long], options: DEFAULT_OPTIONS, maxConcurrentDisks: 1 }
  const input = workflowType === 'runPolicy' ? { policy } : { policy: 'wordy', targetUrl, diskIds: [diskId], rule: { ...RULE, resourceGroup } }
  const error: unknown = await scene.client.workflow
    .execute(workflowType, { taskQueue: `${scene.taskQueuePrefix}-control`, workflowId: `${workflowType}-${scene.taskQueuePrefix}`, args: [input] })
    .catch((caught: unknown) => caught)
  if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error
  const [{ disks }] = error.cause.details as [{ disks: readonly DiskOutcome[] }]
  expect(disks[0]?.reason?.length).toBe(MAX_REASON_LENGTH)
  expect(DISKS * JSON.stringify({ ...disks[0], diskId }).length).toBeLessThan(512 * KIB)
}, 120_000)
