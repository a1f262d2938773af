/** Random histories of a disk and its backups: what an operator, a virtual machine, a crash and a stranger can do, in any order. */
import * as fc from 'fast-check'
import { VERIFY_LEVELS, type VerifyLevel } from '../../domain/point-check.ts'

/** What the virtual machine does. Places are fractions, so that a shrunk history stays possible. */
export interface DiskChange {
  readonly kind: 'write' | 'writeZeros' | 'rewriteSame' | 'clear'
  readonly area: number
  readonly place: number
  readonly pages: number
  readonly seed: number
}

export interface Fault {
  /** The call to Azure, counted from the start of the run, that it happens at. */
  readonly atCall: number
  readonly isCarriedOut: boolean
  /** Counts calls of this operation only. */
  readonly operation?: string
  /** An answer is lost; or the worker dies there, and then another one resumes, or the run is terminated or cancelled. */
  readonly outcome: 'answerLost' | 'resumed' | 'terminated' | 'cancelled'
}

export type Step =
  | { readonly do: 'change'; readonly changes: readonly DiskChange[] }
  | { readonly do: 'grow' }
  /** With MiB beyond whole GiB, as a disk of a marketplace image has. */
  | { readonly do: 'recreateDisk'; readonly extraMib?: number }
  | { readonly do: 'snapshotByOthers' }
  | {
      readonly do: 'backUp'
      readonly target: number
      readonly keepLast: number
      /** Chunks that verification reads on both sides, of changed and of unchanged pages each. */
      readonly sample: number
      readonly fault: Fault | undefined
      readonly during: readonly DiskChange[]
      /** Asks again for what an earlier run to this target was asked, as the backfill of a schedule does. */
      readonly repeats: number | undefined
    }
  | { readonly do: 'deleteByOthers'; readonly what: 'sourceSnapshot' | 'manifest' | 'blobSnapshot'; readonly target: number; readonly which: number }
  | { readonly do: 'restore'; readonly target: number; readonly which: number }
  | { readonly do: 'verify'; readonly target: number; readonly which: number; readonly level: VerifyLevel }

export type BackUp = Extract<Step, { do: 'backUp' }>

export type History = readonly Step[]

const FRACTION = 1000
const fraction = fc.nat(FRACTION - 1)

/** The index among `count` things that a fraction stands for. */
export function pick(count: number, part: number): number {
  return Math.floor((part * count) / FRACTION)
}

const diskChange: fc.Arbitrary<DiskChange> = fc.record({
  kind: fc.constantFrom('write' as const, 'write' as const, 'writeZeros' as const, 'rewriteSame' as const, 'clear' as const),
  area: fraction,
  place: fraction,
  // A request takes 8,192 pages: the longest takes two.
  pages: fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 1, max: 64 }) }, { weight: 1, arbitrary: fc.integer({ min: 8000, max: 9000 }) }),
  seed: fc.nat(),
})
const changes = fc.array(diskChange, { minLength: 1, maxLength: 6 })
const target = fc.constantFrom(0, 0, 0, 1)

const fault: fc.Arbitrary<Fault> = fc.record({
  atCall: fc.integer({ min: 1, max: 50 }),
  isCarriedOut: fc.boolean(),
  outcome: fc.constantFrom('answerLost' as const, 'resumed' as const, 'terminated' as const, 'cancelled' as const),
})

const backUp = fc.record({
  do: fc.constant('backUp' as const),
  target,
  keepLast: fc.integer({ min: 1, max: 4 }),
  sample: fc.constantFrom(0, 1, 2, 2, 16),
  fault: fc.option(fault, { nil: undefined }),
  during: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: changes }),
  repeats: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fraction }),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('change' as const), changes }) },
  { weight: 9, arbitrary: backUp },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('grow' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recreateDisk' as const), extraMib: fc.constantFrom(0, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('snapshotByOthers' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('deleteByOthers' as const),
      what: fc.constantFrom('sourceSnapshot' as const, 'manifest' as const, 'blobSnapshot' as const),
      target,
      which: fraction,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), target, which: fraction }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('verify' as const), target, which: fraction, level: fc.constantFrom(...VERIFY_LEVELS) }) },
)

/** @param maxSteps the longest of them. */
export function anyHistory(maxSteps: number): fc.Arbitrary<History> {
  return fc.array(step, { minLength: 2, maxLength: maxSteps, size: 'max' })
}
