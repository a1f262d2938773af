/** Faults in a full verification of the newest point. */
import type { BackupConditions } from '../chaos/backup-step.ts'
import { leavings } from '../chaos/final-checks.ts'
import { playVerification } from '../chaos/verify-step.ts'
import type { World } from '../chaos/world.ts'
import { startAnew, type Scenario } from './scenario.ts'

export const verification: Scenario = {
  name: 'verification',
  async arrange(world, round) {
    if ((await world.pointsAsLeft(0)).length === 0) await startAnew(world, round)
  },
  run: verifyNewest,
  leavings: (world) => leavings(world, 0),
  again: verifyNewest,
}

export function verifyNewest(world: World, conditions?: BackupConditions): Promise<Error | undefined> {
  return playVerification(world, { target: 0, which: 0, level: 'full' }, conditions)
}
