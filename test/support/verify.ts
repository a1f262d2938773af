/** Runs the workflow `verifyPoint` on the points of a scene. */
import type { verifyPoint } from '../../workflows/index.ts'
import type { VerifyPointInput, VerifyPointResult } from '../../workflows/messages.ts'
import type { Scene } from './scene.ts'

let verifications = 0

/** @throws what the workflow fails of. */
export async function verifyIn(scene: Scene, input: Omit<VerifyPointInput, 'targetUrl'>): Promise<VerifyPointResult> {
  return scene.client.workflow.execute<typeof verifyPoint>('verifyPoint', {
    taskQueue: `${scene.taskQueuePrefix}-control`,
    workflowId: `verify-${scene.taskQueuePrefix}-${verifications++}`,
    args: [{ targetUrl: scene.targetUrl, ...input }],
  })
}
