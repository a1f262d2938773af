/** The table at the end of the demo. */
import Table from 'cli-table3'
import { z } from 'zod'

/** What `snapferry points list --json` prints, as far as it is shown. */
export const pointSchema = z.object({
  id: z.string(),
  kind: z.string(),
  changedBytes: z.number(),
  clearedBytes: z.number(),
  movedBytes: z.number(),
  requests: z.number(),
  seconds: z.number(),
})

export type Point = z.output<typeof pointSchema>

export function renderPointTable(points: readonly Point[]): string {
  const table = new Table({
    head: ['point', 'kind', 'changed', 'cleared', 'moved', 'requests', 'seconds'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  })
  for (const { id, kind, changedBytes, clearedBytes, movedBytes, requests, seconds } of points) {
    table.push([id, kind, mebibytes(changedBytes), mebibytes(clearedBytes), mebibytes(movedBytes), requests, seconds.toFixed(1)])
  }
  return table.toString()
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
