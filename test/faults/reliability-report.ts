/** What a proof has counted: told on stderr, and written down where the run is asked to (`-- --report`); scripts/prove.mjs makes a table of it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { env, stderr } from 'node:process'

export interface Tally {
  cases: number
  /** Points or disks with wrong bytes, points that were lost or invented, failures that nobody can name. */
  wrong: number
  /** Snapshots, SAS, blob snapshots and disks that nothing takes away. */
  leaked: number
  /** Runs that neither ended by themselves nor by the same again. */
  unfinished: number
  /** What else was counted, in words. */
  readonly figures: Record<string, number | string>
}

export function emptyTally(): Tally {
  return { cases: 0, wrong: 0, leaked: 0, unfinished: 0, figures: {} }
}

/** Of all randomness in a proof; printed, so that what failed can be played again. */
export const SEED = Number(env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)

/** @param part of a proof that is played in several files; their counts are added up in the table. */
export async function report(proof: string, tally: Tally, part?: number): Promise<void> {
  const { cases, wrong, leaked, unfinished, figures } = tally
  const others = Object.entries(figures).map(([name, value]) => `, ${name}: ${value}`)
  stderr.write(`${proof}: ${cases} cases, ${wrong} wrong, ${leaked} leaked, ${unfinished} unfinished${others.join('')} (seed ${SEED})\n`)
  const folder = env['SNAPFERRY_PROOF_FOLDER']
  if (folder === undefined) return
  const written = { proof, command: env['SNAPFERRY_PROOF_COMMAND'], date: new Date().toISOString().slice(0, 10), seed: SEED, ...tally }
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${part === undefined ? proof : `${proof}-${part}`}.json`), `${JSON.stringify(written, null, 2)}\n`)
}
