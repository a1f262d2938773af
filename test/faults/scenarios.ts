/** What faults are put into: each scenario brings a world to where its one run does what the scenario is named after. */
import { KIB } from '../../domain/byte-range.ts'
import type { BackupOptions } from '../../domain/policy.ts'
import { playBackup, type BackupConditions } from '../chaos/backup-step.ts'
import { leavings } from '../chaos/final-checks.ts'
import type { DiskChange } from '../chaos/history.ts'
import { deleteByOthers } from '../chaos/outside-steps.ts'
import { playRestore, restoredDiskId } from '../chaos/restore-step.ts'
import { backUp } from '../chaos/support.ts'
import type { World } from '../chaos/world.ts'

export interface Scenario {
  readonly name: string
  /** Needs a disk that was never backed up. */
  readonly isFirst?: boolean
  /** Before each run; `round` makes no two alike. */
  arrange(world: World, round: number): Promise<void>
  /** @returns what failed it. */
  run(world: World, conditions: BackupConditions): Promise<Error | undefined>
  /** What is there that should not be. */
  leavings(world: World): Promise<string[]>
  /** What an operator does after a failure: the same again. Undefined where there is nothing to wait for. */
  again(world: World): Promise<Error | undefined>
}

const KEEP = 2
/** The start of a disk of 1 GiB is in the first of four stripes, its end in the last, its footer in the first again. */
const STRIPED: Partial<BackupOptions> = { stripes: 4 }
const AREAS = [0, 0.99]

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
    again: (world) => playRestore(world, { target: 0, which: 0 }),
  },
]

function backupScenario(keepLast: number, options: Partial<BackupOptions> = {}): Pick<Scenario, 'run' | 'leavings' | 'again'> {
  return {
    run: (world, conditions) => playBackup(world, backUp({ keepLast, sample: 2 }), { ...conditions, options }),
    leavings: (world) => leavings(world, 0),
    again: (world) => playBackup(world, backUp({ keepLast, sample: 2 }), { options }),
  }
}

/** Some written, some rewritten with what they hold, some given up. */
async function change(world: World, round: number): Promise<void> {
  const place = (round * 131) % 900
  for (const area of AREAS) {
    const at = (kind: DiskChange['kind'], offset: number, pages: number): DiskChange => ({ kind, area, place: (place + offset) % 1000, pages, seed: round })
    await world.change([at('write', 0, 64 * KIB / 512), at('write', 300, 24), at('rewriteSame', 150, 8), at('clear', 310, 8)])
  }
}

/** A point that equals the disk, and changes since. */
async function startAnew(world: World, round: number, options: Partial<BackupOptions> = {}): Promise<void> {
  if ((await world.pointsAsLeft(0)).length === 0) {
    await change(world, round + 500)
    await playBackup(world, backUp({ keepLast: KEEP, sample: 1 }), { options })
  }
  await change(world, round)
}

function takeDiskAway({ scene }: World, diskId: string): boolean {
  try {
    scene.azure.deleteDisk(diskId)
    return true
  } catch {
    return false
  }
}

