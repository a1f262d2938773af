/** Faults in a full verification of the newest point: nothing is wrong with it, so nothing may be found. */
import { listPoints } from '../../azure/manifests.ts'
import { describeCause } from '../../workflows/describe-cause.ts'
import type { BackupConditions } from '../chaos/backup-step.ts'
import { leavings } from '../chaos/final-checks.ts'
import { playWorkflow, verifyPoint } from '../chaos/in-process-temporal.ts'
import type { World } from '../chaos/world.ts'
import { startAnew, type Scenario } from './scenario.ts'

export const verification: Scenario = {
  name: 'verification',
  async arrange(world, round) {
    if ((await world.pointsAsLeft(0)).length === 0) await startAnew(world, round)
  },
  run: playVerification,
  leavings: (world) => leavings(world, 0),
  again: playVerification,
}

export async function playVerification(world: World, { around = (run) => run(), mayFail }: BackupConditions = {}): Promise<Error | undefined> {
  const { scene, lane, faults } = world
  const targetUrl = lane.targetUrls[0]!
  const [newest] = await world.pointsAsLeft(0)
  if (newest === undefined) return undefined
  const input = { targetUrl, pointId: newest.id, level: 'full' } as const
  const outcome = await around(() => playWorkflow(verifyPoint, input, { startProcess: scene.startProcess })).catch((error: Error) => error)
  const { checks } = await listPoints(scene.clients, targetUrl)
  const suspects = [...checks.values()].filter(({ suspect }) => suspect !== undefined)
  if (suspects.length > 0) faults.push(`right points were marked as suspect: ${suspects.map(({ pointId }) => pointId).join(' ')}`)
  if (!(outcome instanceof Error)) {
    if (outcome.comparedBytes === 0) faults.push(`a verification of ${newest.id} compared nothing`)
    return undefined
  }
  if (mayFail?.(outcome) !== true) faults.push(`a verification failed that should have gone through: ${describeCause(outcome)}`)
  return outcome
}
