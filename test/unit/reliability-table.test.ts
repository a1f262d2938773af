import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { tableOf } from '../../scripts/lib/reliability-table.mjs'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reliability-'))
})
afterEach(() => rm(folder, { recursive: true }))

const REPORT = { proof: 'late-writes', command: 'npm run late-writes', date: '2026-11-27', seed: 7, cases: 5, wrong: 0, leaked: 0, unfinished: 0, figures: {} }

async function rowsOf(parts: Readonly<Record<string, object>>): Promise<string[]> {
  for (const [name, part] of Object.entries(parts)) await writeFile(join(folder, `${name}.json`), JSON.stringify({ ...REPORT, ...part }))
  return (await tableOf(folder)).trimEnd().split('\n').slice(2)
}

test('the counts of the parts of a proof are added up, also those that only one of them has', async () => {
  expect(
    await rowsOf({
      'late-writes-1': { wrong: 1, figures: { refused: 1, restores: 2 } },
      'late-writes-2': { leaked: 2, unfinished: 3, figures: { restores: 40, 'ended with FencedOut': 1 } },
    }),
  ).toEqual(['| `npm run late-writes` | 10 | 1 | 2 | 3 | 2026-11-27 | 7 | refused: 1; restores: 42; ended with FencedOut: 1 |'])
})

test('each proof has a row of its own, and words beside its counts stay as they are', async () => {
  expect(
    await rowsOf({
      soak: { proof: 'soak', command: 'npm run soak', figures: { 'open files': '60, 45' } },
      'late-writes': {},
    }),
  ).toEqual([
    '| `npm run late-writes` | 5 | 0 | 0 | 0 | 2026-11-27 | 7 |  |',
    '| `npm run soak` | 5 | 0 | 0 | 0 | 2026-11-27 | 7 | open files: 60, 45 |',
  ])
})
