/**
 * The model test: random histories of a disk and its backups against a byte model. `npm run chaos -- --histories N --seed S` plays
 * as many as it is told; without that, as many as fit into a minute and a half.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { openChaosScene, type ChaosScene } from './chaos-scene.ts'
import { anyHistory, type History } from './history.ts'
import { playHistory } from './play-history.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const HISTORIES = Number(process.env['SNAPFERRY_CHAOS_HISTORIES'] ?? Infinity)
const BUDGET_MS = HISTORIES === Infinity ? 90_000 : Infinity
/** Histories that are played at the same time: most of one is waiting for answers. */
const LANES = 8
/** A lane's; more than any machine plays in the time. */
const MOST_IN_BUDGET = 1000
const LONGEST_RUN_MS = 12 * 3600_000
const STEPS = Number(process.env['SNAPFERRY_CHAOS_STEPS'] ?? 8)

let scene: ChaosScene
let played = 0
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openChaosScene()
})
afterAll(() => scene?.close())

test('no random history of changes, backups, crashes and deletions makes a wrong point, loses one or leaves something behind', async () => {
  const deadlineMs = Date.now() + BUDGET_MS
  const results = await Promise.all(Array.from({ length: LANES }, (_, index) => playLane(index, deadlineMs)))
  process.stderr.write(`${played} histories played, ${scene.tripwires.tripped} runs met a fault\n`)
  for (const result of results) {
    if (result.failed) throw new Error(`${fc.defaultReportMessage(result)}\n\n${String(result.errorInstance)}`)
  }
  expect(played).toBeGreaterThan(0)
}, LONGEST_RUN_MS)

async function playLane(index: number, deadlineMs: number): Promise<fc.RunDetails<[History]>> {
  const property = fc.asyncProperty(anyHistory(STEPS), async (history) => {
    // Not fast-check's own time limit: it would leave histories running behind the end of the test.
    if (Date.now() > deadlineMs) return
    played += 1
    const faults = await playHistory(scene, history)
    if (faults.length > 0) throw new Error(faults.join('\n'))
  })
  return fc.check(property, {
    seed: SEED + index,
    numRuns: HISTORIES === Infinity ? MOST_IN_BUDGET : Math.ceil(HISTORIES / LANES),
  })
}
