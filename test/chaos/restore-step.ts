/** A restore in a history: into a new disk, which is then read as its virtual machine would read it. */
import type { Manifest } from '../../domain/manifest.ts'
import { describeCause } from '../../workflows/describe-cause.ts'
import type { BackupConditions } from './backup-step.ts'
import { areasOf, bytesAt } from './disk-model.ts'
import { pick, type Step } from './history.ts'
import { playWorkflow, restoreDisk } from './in-process-temporal.ts'
import type { World } from './world.ts'

export function restoredDiskId({ lane }: World): string {
  return `${lane.diskId}-restored`
}

/** @returns what failed the restore; undefined when its disk is there, or no point to restore. */
export async function playRestore(
  world: World,
  { target, which }: Pick<Extract<Step, { do: 'restore' }>, 'target' | 'which'>,
  { around = (run) => run(), mayFail }: BackupConditions = {},
): Promise<Error | undefined> {
  const { scene, lane, faults } = world
  const points = await world.pointsAsLeft(target)
  const point = points[pick(points.length, which)]
  if (point === undefined) return undefined
  const toDiskId = restoredDiskId(world)
  const input = { targetUrl: lane.targetUrls[target]!, pointId: point.id, toDiskId, region: 'northeurope' }
  const outcome = await around(() => playWorkflow(restoreDisk, input, { startProcess: scene.startProcess })).catch((error: Error) => error)
  if (outcome instanceof Error) {
    if (mayFail?.(outcome) !== true) faults.push(`a restore failed that should have gone through: ${describeCause(outcome)}`)
    return outcome
  }
  faults.push(...(await faultsOfDisk(world, point, toDiskId)))
  scene.azure.deleteDisk(toDiskId)
  return undefined
}

/** Holds a disk that was restored from a point against what the point should have. */
export async function faultsOfDisk({ scene, contentOf }: World, point: Manifest, diskId: string): Promise<string[]> {
  const content = contentOf(point)
  const faults: string[] = []
  for (const area of areasOf(point.sizeBytes)) {
    const held = await scene.azure.readDisk(diskId, area.startBytes, area.endBytes - area.startBytes)
    if (content === undefined || !held.equals(bytesAt(content, area))) faults.push(`the disk restored from ${point.id} is wrong in the area at ${area.startBytes}`)
  }
  return faults
}
