/** What the bench measures, and how a row of its table looks. */
import Table from 'cli-table3'

export interface Row {
  readonly name: string
  /** In words, with its unit. */
  readonly ours: string
  /** What it is held against, in words. */
  readonly limit: string
  /** What binds. */
  readonly bindsBy: string
  /** Ours against the limit: 1 is at the limit. */
  readonly ratio: number
  /** What the ratio has to be. */
  readonly atLeast?: number
  readonly atMost?: number
}

export function isMet({ ratio, atLeast = -Infinity, atMost = Infinity }: Row): boolean {
  return ratio >= atLeast && ratio <= atMost
}

export function renderRows(rows: readonly Row[]): string {
  const table = new Table({
    head: ['row', 'ours', 'limit', 'binds', 'ours / limit', 'must be', ''],
    style: { head: [], border: [] },
  })
  for (const row of rows) {
    const { name, ours, limit, bindsBy, ratio, atLeast, atMost } = row
    const must = atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`
    table.push([name, ours, limit, bindsBy, ratio.toFixed(2), must, isMet(row) ? 'ok' : 'FALLS SHORT'])
  }
  return table.toString()
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
