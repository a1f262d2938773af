/** A restore in a history: into a new disk, which is then read as its virtual machine would read it. */
import { areasOf, bytesAt } from './disk-model.ts'
import { playWorkflow, restoreDisk } from './in-process-temporal.ts'
import { pick, type Step } from './history.ts'
import type { World } from './world.ts'

export async function playRestore(world: World, { target, which }: Extract<Step, { do: 'restore' }>): Promise<void> {
  const { scene, lane, faults } = world
  const points = await world.pointsAsLeft(target)
  const point = points[pick(points.length, which)]
  if (point === undefined) return
  const toDiskId = `${lane.diskId}-restored`
  const input = { targetUrl: lane.targetUrls[target]!, pointId: point.id, toDiskId, region: 'northeurope' }
  await playWorkflow(restoreDisk, input, { startProcess: scene.startProcess })
  const content = world.contentOf(point)
  for (const area of areasOf(point.sizeBytes / 2 ** 30)) {
    const held = await scene.azure.readDisk(toDiskId, area.startBytes, area.endBytes - area.startBytes)
    if (content === undefined || !held.equals(bytesAt(content, area))) faults.push(`the disk restored from ${point.id} is wrong in the area at ${area.startBytes}`)
  }
  scene.azure.deleteDisk(toDiskId)
}
