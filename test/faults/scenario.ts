/** What one scenario of faults is, and what several of them begin with. */
import { KIB } from '../../domain/byte-range.ts'
import type { BackupOptions } from '../../domain/policy.ts'
import { playBackup, type BackupConditions } from '../chaos/backup-step.ts'
import type { DiskChange } from '../chaos/history.ts'
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
  /** In what the points differ from the model; default: those of base blobs. */
  faults?(world: World): Promise<string[]>
  /** What is there that should not be. */
  leavings(world: World): Promise<string[]>
  /** Leaves nothing for a next run to tidy up, whatever it ended with. */
  readonly isTidyAtOnce?: boolean
  /** What an operator does after a failure: the same again. Undefined where there is nothing to wait for. */
  again(world: World): Promise<Error | undefined>
}

export const KEEP = 2
/** The start of a disk of 1 GiB is in the first of four stripes, its end in the last, its footer in the first again. */
const AREAS = [0, 0.99]

/** Some written, some rewritten with what they hold, some given up. */
export async function change(world: World, round: number): Promise<void> {
  const place = (round * 131) % 900
  for (const area of AREAS) {
    const at = (kind: DiskChange['kind'], offset: number, pages: number): DiskChange => ({ kind, area, place: (place + offset) % 1000, pages, seed: round })
    await world.change([at('write', 0, 64 * KIB / 512), at('write', 300, 24), at('rewriteSame', 150, 8), at('clear', 310, 8)])
  }
}

/** A point that equals the disk, and changes since. */
export async function startAnew(world: World, round: number, options: Partial<BackupOptions> = {}): Promise<void> {
  if ((await world.pointsAsLeft(0)).length === 0) {
    await change(world, round + 500)
    await playBackup(world, backUp({ keepLast: KEEP, sample: 1 }), { options })
  }
  await change(world, round)
}

/** @returns whether it was there. */
export function takeDiskAway({ scene }: World, diskId: string): boolean {
  try {
    scene.azure.deleteDisk(diskId)
    return true
  } catch {
    return false
  }
}

