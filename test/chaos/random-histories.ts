/**
 * The model test: random histories of a disk and its backups against a byte model, shrunk when they find something. `npm run chaos`
 * plays as many as it is told (`-- --histories N --seed S`); `npm test` plays 2,000 that are shorter.
 *
 * They are played in two files, chaos-1 and chaos-2, each with a local Azure of its own, as Jest gives each file a process.
 */
import { env, stderr } from 'node:process'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { isTimeUp, tellProgress } from '../faults/progress.ts'
import { emptyTally, report, SEED } from '../faults/reliability-report.ts'
import { openChaosScene, type ChaosScene } from './chaos-scene.ts'
import { anyHistory, type History } from './history.ts'
import { playHistory } from './play-history.ts'

const ASKED = env['SNAPFERRY_CHAOS_HISTORIES']
const SHARES = 2
const HISTORIES = Math.ceil(Number(ASKED ?? 2000) / SHARES)
/** Long histories find more and take longer: every fourth is one. */
const STEPS = ASKED === undefined ? [3, 3, 3, 10] : [6, 6, 6, 14]
/** Histories that are played at the same time: some of one is waiting for answers. */
const LANES = 8
const LONGEST_RUN_MS = 12 * 3600_000

/** Declares the test of one of the two files. */
export function testShare(share: 1 | 2): void {
  let scene: ChaosScene
  let played = 0
  beforeAll(async () => {
    stderr.write(`seed ${SEED}\n`)
    scene = await openChaosScene()
  })
  afterAll(() => scene?.close())

  async function playLane(lane: number): Promise<fc.RunDetails<[History]>> {
    const property = fc.asyncProperty(anyHistory(STEPS[lane % STEPS.length]!), async (history) => {
      // Not fast-check's own time limit: it would leave histories running behind the end of the test.
      if (isTimeUp()) return
      const faults = await playHistory(scene, history)
      played += 1
      tellProgress(played, HISTORIES)
      if (faults.length > 0) throw new Error(faults.join('\n'))
    })
    return fc.check(property, { seed: SEED + (share - 1) * LANES + lane, numRuns: Math.ceil(HISTORIES / LANES) })
  }

  test('no random history of changes, backups, crashes and deletions makes a wrong point, loses one or leaves something behind', async () => {
    const startedMs = Date.now()
    const results = await Promise.all(Array.from({ length: LANES }, (_, lane) => playLane(lane)))
    const failed = results.filter((result) => result.failed)
    const figures = {
      'runs that met a fault': scene.tripwires.tripped,
      'histories an hour': Math.round((played * 3600_000) / (Date.now() - startedMs)),
    }
    await report('chaos', { ...emptyTally(), cases: played, wrong: failed.length, figures }, share)
    for (const result of failed) throw new Error(`${fc.defaultReportMessage(result)}\n\n${String(result.errorInstance)}`)
    expect(played).toBeGreaterThan(0)
  }, LONGEST_RUN_MS)
}
