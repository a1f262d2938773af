/**
 * The model test: random histories of a disk and its backups against a byte model, shrunk when they find something. `npm run chaos`
 * plays as many as it is told (`-- --histories N --seed S`); without it, as many as fit into a minute and a half, 2,000 at most.
 */
import { env, stderr } from 'node:process'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { emptyTally, report, SEED } from '../faults/reliability-report.ts'
import { openChaosScene, type ChaosScene } from './chaos-scene.ts'
import { anyHistory, type History } from './history.ts'
import { playHistory } from './play-history.ts'

const ASKED = env['SNAPFERRY_CHAOS_HISTORIES']
const HISTORIES = Number(ASKED ?? 2000)
const BUDGET_MS = ASKED === undefined ? 90_000 : Infinity
/** Long histories find more and take longer: every fourth is one. */
const STEPS = [6, 6, 6, 14]
/** Histories that are played at the same time: most of one is waiting for answers. */
const LANES = 8
const LONGEST_RUN_MS = 12 * 3600_000

let scene: ChaosScene
let played = 0
beforeAll(async () => {
  stderr.write(`seed ${SEED}\n`)
  scene = await openChaosScene()
})
afterAll(() => scene?.close())

test('no random history of changes, backups, crashes and deletions makes a wrong point, loses one or leaves something behind', async () => {
  const startedMs = Date.now()
  const results = await Promise.all(Array.from({ length: LANES }, (_, index) => playLane(index, startedMs + BUDGET_MS)))
  const failed = results.filter((result) => result.failed)
  const figures = { 'runs that met a fault': scene.tripwires.tripped, 'ms a history': Math.round((Date.now() - startedMs) / played) }
  await report('chaos', { ...emptyTally(), cases: played, wrong: failed.length, figures })
  for (const result of failed) throw new Error(`${fc.defaultReportMessage(result)}\n\n${String(result.errorInstance)}`)
  expect(played).toBeGreaterThan(0)
}, LONGEST_RUN_MS)

async function playLane(index: number, deadlineMs: number): Promise<fc.RunDetails<[History]>> {
  const property = fc.asyncProperty(anyHistory(STEPS[index % STEPS.length]!), async (history) => {
    // Not fast-check's own time limit: it would leave histories running behind the end of the test.
    if (Date.now() > deadlineMs) return
    played += 1
    const faults = await playHistory(scene, history)
    if (faults.length > 0) throw new Error(faults.join('\n'))
  })
  return fc.check(property, { seed: SEED + index, numRuns: Math.ceil(HISTORIES / LANES) })
}
