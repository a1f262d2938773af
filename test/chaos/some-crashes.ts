/**
 * Crashes at many calls of a run, each with every outcome: a third of them in the usual run, which third by the seed that is printed;
 * every call and every outcome is among them. `npm run chaos` takes all.
 */
import { env } from 'node:process'
import { SEED } from '../faults/reliability-report.ts'

const SHARES = env['SNAPFERRY_CRASH_CASES'] === 'all' ? 1 : 3

export function someCrashes<const Outcome>(outcomes: readonly Outcome[], calls: readonly number[]): [Outcome, number][] {
  return outcomes.flatMap((outcome, row) =>
    calls.flatMap((atCall, column): [Outcome, number][] => ((row + column + SEED) % SHARES === 0 ? [[outcome, atCall]] : [])),
  )
}
