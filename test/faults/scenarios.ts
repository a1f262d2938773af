/** What faults are put into: each scenario brings a world to where its one run does what the scenario is named after. */
import type { BackupOptions } from '../../domain/policy.ts'
import { playBackup } from '../chaos/backup-step.ts'
import { leavings } from '../chaos/final-checks.ts'
import { deleteByOthers } from '../chaos/outside-steps.ts'
import { playRestore, restoredDiskId } from '../chaos/restore-step.ts'
import { backUp } from '../chaos/support.ts'
import { copyStartBackup } from './copy-start-scenario.ts'
import { groupRestore } from './group-scenario.ts'
import { change, KEEP, startAnew, takeDiskAway, type Scenario } from './scenario.ts'
import { verification } from './verify-scenario.ts'

const STRIPED: Partial<BackupOptions> = { stripes: 4 }
/** All that changed: a byte that the service flips behind its own checksum is found by being read. */
const SAMPLE_ALL = 1024

export const SCENARIOS: readonly Scenario[] = [
  { ...backupScenario(KEEP), name: 'full backup', isFirst: true, arrange: (world, round) => change(world, round) },
  { ...backupScenario(KEEP), name: 'incremental backup', arrange: (world, round) => startAnew(world, round) },
  { ...backupScenario(KEEP, { transfer: 'stream' }), name: 'streaming backup', arrange: (world, round) => startAnew(world, round) },
  {
    ...backupScenario(KEEP, STRIPED),
    name: 'striped backup',
    arrange: (world, round) => startAnew(world, round, STRIPED),
  },
  {
    ...backupScenario(KEEP),
    name: 'reseed',
    async arrange(world, round) {
      await startAnew(world, round)
      await deleteByOthers(world, { do: 'deleteByOthers', what: 'sourceSnapshot', target: 0, which: 0 })
    },
  },
  {
    ...backupScenario(1),
    name: 'prune',
    async arrange(world, round) {
      await startAnew(world, round)
      await playBackup(world, backUp({ keepLast: 3, sample: 1 }))
      await change(world, round + 1000)
    },
  },
  {
    name: 'restore',
    arrange: async (world) => {
      if ((await world.pointsAsLeft(0)).length > 0) return
      await startAnew(world, 0)
    },
    run: (world, conditions) => playRestore(world, { target: 0, which: 0 }, conditions),
    async leavings(world) {
      const diskId = restoredDiskId(world)
      const granted = world.scene.azure.grantedAccess().filter(({ id }) => id.toLowerCase() === diskId.toLowerCase())
      return [...granted.map(({ id }) => `a SAS was left on ${id}`), ...(takeDiskAway(world, diskId) ? [`the half-made disk ${diskId} was left`] : [])]
    },
    isTidyAtOnce: true,
    again: (world) => playRestore(world, { target: 0, which: 0 }),
  },
  copyStartBackup,
  verification,
  groupRestore,
]

function backupScenario(keepLast: number, options: Partial<BackupOptions> = {}): Pick<Scenario, 'run' | 'leavings' | 'again'> {
  return {
    run: (world, conditions) => playBackup(world, backUp({ keepLast, sample: SAMPLE_ALL }), { ...conditions, options }),
    leavings: (world) => leavings(world, 0),
    again: (world) => playBackup(world, backUp({ keepLast, sample: SAMPLE_ALL }), { options }),
  }
}
