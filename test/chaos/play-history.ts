/**
 * Plays one history against the local Azure and the byte model, and says what went wrong.
 *
 * After every backup: no older point is missing, and retention kept exactly what it should. At the end, after a last run without
 * faults to each target: every listed point equals the model byte for byte, nothing is left behind and nothing foreign was touched.
 */
import { GIB } from '../../domain/byte-range.ts'
import { playBackup } from './backup-step.ts'
import type { ChaosScene } from './chaos-scene.ts'
import { faultsOfPoints, leavings } from './final-checks.ts'
import type { History, Step } from './history.ts'
import { deleteByOthers, snapshotByOthers, sourceSnapshots } from './outside-steps.ts'
import { playRestore } from './restore-step.ts'
import { backUp } from './support.ts'
import { playLoneVerification } from './verify-step.ts'
import { createWorld, type World } from './world.ts'

/** @returns what is wrong, in words; empty for a history that keeps every promise. */
export async function playHistory(scene: ChaosScene, history: History): Promise<string[]> {
  const lane = await scene.openLane()
  try {
    const world = createWorld(scene, lane)
    for (const step of history) await playStep(world, step)
    await endHistory(world, history)
    return world.faults
  } finally {
    await lane.close()
  }
}

export async function playStep(world: World, step: Step): Promise<unknown> {
  switch (step.do) {
    case 'change':
      return world.change(step.changes)
    case 'grow':
      // Each GiB is a border to look at, and nothing new is learned of many.
      if (world.disk.sizeBytes >= 3 * GIB) return
      world.disk.grow()
      return world.scene.azure.growDisk(world.lane.diskId, world.disk.sizeBytes / GIB)
    case 'recreateDisk':
      return world.recreateDisk(step.extraMib)
    case 'snapshotByOthers':
      return snapshotByOthers(world)
    case 'deleteByOthers':
      return deleteByOthers(world, step)
    case 'backUp':
      return playBackup(world, step)
    case 'restore':
      return playRestore(world, step)
    case 'verify':
      return playLoneVerification(world, step)
  }
}

async function endHistory(world: World, history: History): Promise<void> {
  const targets = new Set(history.flatMap((step) => (step.do === 'backUp' ? [step.target] : [])))
  for (const target of targets) {
    await playBackup(world, backUp({ target, sample: 2 }))
    world.faults.push(...(await faultsOfPoints(world, target)), ...(await leavings(world, target)))
  }
  const foreign = (await sourceSnapshots(world)).filter(({ name }) => name.startsWith('foreign')).length
  const made = history.filter((step) => step.do === 'snapshotByOthers').length
  if (foreign !== made) world.faults.push(`${made - foreign} snapshots of others are gone`)
}
