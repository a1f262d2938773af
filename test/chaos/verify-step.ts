/** A verification in a history: of points with which nothing is wrong, so nothing may be found. */
import { listPoints } from '../../azure/manifests.ts'
import { describeCause } from '../../workflows/describe-cause.ts'
import type { BackupConditions } from './backup-step.ts'
import { pick, type Step } from './history.ts'
import { failureTypeOf } from './in-process-backup.ts'
import { playWorkflow, verifyPoint } from './in-process-temporal.ts'
import type { World } from './world.ts'

/** @returns what failed the verification; undefined when the point passed, or there is none. */
export async function playVerification(
  world: World,
  { target, which, level }: Pick<Extract<Step, { do: 'verify' }>, 'target' | 'which' | 'level'>,
  { around = (run) => run(), mayFail }: BackupConditions = {},
): Promise<Error | undefined> {
  const { scene, lane, faults } = world
  const targetUrl = lane.targetUrls[target]!
  const points = await world.pointsAsLeft(target)
  const point = points[pick(points.length, which)]
  if (point === undefined) return undefined
  const input = { targetUrl, pointId: point.id, level }
  const outcome = await around(() => playWorkflow(verifyPoint, input, { startProcess: scene.startProcess })).catch((error: Error) => error)
  const { checks } = await listPoints(scene.clients, targetUrl)
  const suspects = [...checks.values()].filter(({ suspect }) => suspect !== undefined)
  if (suspects.length > 0) faults.push(`right points were marked as suspect: ${suspects.map(({ pointId }) => pointId).join(' ')}`)
  if (!(outcome instanceof Error)) {
    if (level === 'full' && outcome.comparedBytes === 0) faults.push(`a verification of ${point.id} compared nothing`)
    return undefined
  }
  // The source snapshots of older points are gone, and those that somebody else deleted.
  const isWithoutSource = level === 'source' && failureTypeOf(outcome) === 'SourceSnapshotNotFound'
  if (!isWithoutSource && mayFail?.(outcome) !== true) faults.push(`a verification failed that should have gone through: ${describeCause(outcome)}`)
  return outcome
}

/** One beside which nobody else is granted access, so that all that is granted afterwards is its own. */
export async function playLoneVerification(world: World, step: Extract<Step, { do: 'verify' }>): Promise<Error | undefined> {
  // A backup that was terminated leaves its own until the next one.
  const before = granted(world)
  const outcome = await playVerification(world, step)
  const left = granted(world).filter((id) => !before.includes(id))
  if (left.length > 0) world.faults.push(`a verification left a SAS on ${left.join(' ')}`)
  return outcome
}

function granted({ scene, lane }: World): string[] {
  return scene.azure.grantedAccess().flatMap(({ id }) => (id.includes(`/${lane.resourceGroup}/`) ? [id] : []))
}
