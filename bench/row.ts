/** What the bench measures, and how a row of its table looks. */
import type { RatePlot } from './rate-plot.ts'

export interface Row {
  /** In words: what was done, to what. */
  readonly name: string
  /** In words, with its unit; medians. */
  readonly ours: string
  /** What it is held against, in words. */
  readonly limit: string
  /** What binds. */
  readonly bindsBy: string
  /** Ours against the limit: 1 is at the limit. Absent: it was not measured, and `ours` says why. */
  readonly ratio?: number
  /** What the ratio has to be. */
  readonly atLeast?: number
  readonly atMost?: number
  /** The rate over time of one of the runs. */
  readonly plot?: RatePlot
}

/** What was not measured does not fall short. */
export function isMet({ ratio, atLeast = -Infinity, atMost = Infinity }: Row): boolean {
  return ratio === undefined || (ratio >= atLeast && ratio <= atMost)
}

export const HEAD = ['row', 'ours', 'limit', 'what binds', 'ours / limit', 'must be', ''] as const

export function cellsOf(row: Row): string[] {
  const { name, ours, limit, bindsBy, ratio, atLeast, atMost } = row
  const must = atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`
  const verdict = ratio === undefined ? 'not measured' : isMet(row) ? 'ok' : 'FALLS SHORT'
  return [name, ours, limit, bindsBy, ratio === undefined ? '' : ratio.toFixed(2), must, verdict]
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
