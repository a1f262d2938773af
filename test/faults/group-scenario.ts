/** Faults in the restore of a group, two disks at once: both are there and right, or neither is. */
import { describeCause } from '../../workflows/describe-cause.ts'
import { playBackup, type BackupConditions } from '../chaos/backup-step.ts'
import { playWorkflow, restoreGroup } from '../chaos/in-process-temporal.ts'
import { faultsOfDisk, restoredDiskId } from '../chaos/restore-step.ts'
import { backUp } from '../chaos/support.ts'
import type { World } from '../chaos/world.ts'
import { change, startAnew, takeDiskAway, type Scenario } from './scenario.ts'

const MEMBERS = 2

export const groupRestore: Scenario = {
  name: 'restore of a group',
  async arrange(world, round) {
    for (let made = (await world.pointsAsLeft(0)).length; made < MEMBERS; made++) {
      await (made === 0 ? startAnew(world, round) : change(world, round))
      if (made > 0) await playBackup(world, backUp({ keepLast: MEMBERS, sample: 1 }))
    }
  },
  run: playGroup,
  async leavings(world) {
    const diskIds = memberDisks(world)
    const granted = world.scene.azure.grantedAccess().filter(({ id }) => diskIds.some((diskId) => diskId.toLowerCase() === id.toLowerCase()))
    const left = diskIds.filter((diskId) => takeDiskAway(world, diskId))
    return [...granted.map(({ id }) => `a SAS was left on ${id}`), ...left.map((id) => `the disk ${id} of a group was left`)]
  },
  isTidyAtOnce: true,
  again: playGroup,
}

async function playGroup(world: World, { around = (run) => run(), mayFail }: BackupConditions = {}): Promise<Error | undefined> {
  const { scene, lane, faults } = world
  const points = (await world.pointsAsLeft(0)).slice(0, MEMBERS)
  const diskIds = memberDisks(world)
  const members = points.map((point, index) => ({
    diskId: point.disk.id,
    pointId: point.id,
    takenAt: point.takenAt,
    toDiskId: diskIds[index]!,
  }))
  const input = { targetUrl: lane.targetUrls[0]!, members, how: { region: 'northeurope' }, isPartial: false }
  const outcome = await around(() => playWorkflow(restoreGroup, input, { startProcess: scene.startProcess })).catch((error: Error) => error)
  if (outcome instanceof Error) {
    if (mayFail?.(outcome) !== true) faults.push(`the restore of a group failed that should have gone through: ${describeCause(outcome)}`)
    return outcome
  }
  for (const [index, point] of points.entries()) {
    faults.push(...(await faultsOfDisk(world, point, diskIds[index]!)))
    takeDiskAway(world, diskIds[index]!)
  }
  return undefined
}

function memberDisks(world: World): string[] {
  return Array.from({ length: MEMBERS }, (_, index) => `${restoredDiskId(world)}-${index}`)
}
