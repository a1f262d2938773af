/**
 * All that is measured, in the order of the table. Shaped rows are held by the clock of the local Azure and hardly scatter: one round of
 * a long one says enough.
 */
import { GIB, MIB } from '../domain/byte-range.ts'
import { measureAgainstAzcopy } from './against-azcopy.ts'
import { measureAgainstRawDriver } from './against-raw-driver.ts'
import { measureDiskSizes } from './disk-sizes.ts'
import { measureDisturbedLine } from './disturbed-line.ts'
import { measureManyDisks } from './many-disks.ts'
import { measureMillionRanges, SPARING_ENV, SPARING_HEAP } from './million-ranges.ts'
import type { Row } from './row.ts'
import { measureScatteredChanges, type ScatteredOptions } from './scattered-changes.ts'
import type { Setting } from './setting.ts'
import { measureRestore } from './restore.ts'
import { measureShapedFullCopy } from './shaped-full-copy.ts'
import { measureStriped } from './striped.ts'

export interface Measure {
  /** For `--only`. */
  readonly name: string
  /** Of the worker: it then has a setting of its own also in a quick bench. */
  readonly nodeOptions?: readonly string[]
  /** Of the processes, beside this one's. */
  readonly env?: NodeJS.ProcessEnv
  /** Less of it would say nothing, or it takes too long: left out of a quick bench. */
  readonly isFullOnly?: boolean
  measure(setting: Setting, extent: Extent): Promise<Row[]>
}

/** `quick` measures less of the same. */
export type Extent = 'full' | 'quick'

const SCATTERED: Record<Extent, ScatteredOptions> = {
  full: { ranges: 100_000, overBytes: 4 * GIB, rounds: 1 },
  quick: { ranges: 6_000, overBytes: 128 * MIB, rounds: 1 },
}

export const MEASURES: readonly Measure[] = [
  measureOf('full-copy', measureShapedFullCopy, {
    full: { allocatedBytes: GIB, rounds: 3 },
    quick: { allocatedBytes: 128 * MIB, rounds: 1 },
  }),
  measureOf('restore', measureRestore, {
    full: { allocatedBytes: GIB, rounds: 1 },
    quick: { allocatedBytes: 64 * MIB, rounds: 1 },
  }),
  measureOf('scattered-random', (setting, options) => measureScatteredChanges(setting, 'random', options), SCATTERED),
  measureOf('scattered-clustered', (setting, options) => measureScatteredChanges(setting, 'clustered', options), { full: SCATTERED.full }),
  measureOf('striped', measureStriped, {
    full: { allocatedBytes: GIB, rounds: 1 },
  }),
  measureOf('disk-sizes', measureDiskSizes, {
    full: { changedBytes: GIB, rounds: 1 },
  }),
  measureOf('azcopy', measureAgainstAzcopy, {
    full: { allocatedBytes: GIB, rounds: 3 },
    quick: { allocatedBytes: 256 * MIB, rounds: 1 },
  }),
  measureOf('raw-driver', measureAgainstRawDriver, {
    full: { allocatedBytes: GIB, rounds: 5 },
    quick: { allocatedBytes: 128 * MIB, rounds: 1 },
  }),
  measureOf('many-disks', measureManyDisks, { full: { disks: 64 }, quick: { disks: 8 } }),
  measureOf('disturbed', measureDisturbedLine, {
    full: { allocatedBytes: GIB, rounds: 2 },
    quick: { allocatedBytes: 64 * MIB, rounds: 1 },
  }),
  {
    ...measureOf('million-ranges', measureMillionRanges, { full: { ranges: 1_000_000 } }),
    nodeOptions: SPARING_HEAP,
    env: SPARING_ENV,
  },
]

function measureOf<Options>(
  name: string,
  measure: (setting: Setting, options: Options) => Promise<Row[]>,
  { full, quick }: { readonly full: Options; readonly quick?: Options },
): Measure {
  return { name, isFullOnly: quick === undefined, measure: (setting, extent) => measure(setting, extent === 'quick' ? (quick ?? full) : full) }
}
