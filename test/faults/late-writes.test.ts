/**
 * Late writes: a request that a network kept back lands long after its run, in the middle of the next one or behind it. The local
 * Azure carries out page writes and clears again later, by the conditions that they came with.
 */
import { env, stderr } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { playBackup } from '../chaos/backup-step.ts'
import { openChaosScene, type ChaosScene } from '../chaos/chaos-scene.ts'
import { faultsOfPoints, leavings } from '../chaos/final-checks.ts'
import { backUp, change, clear } from '../chaos/support.ts'
import { playStep } from '../chaos/play-history.ts'
import { createWorld } from '../chaos/world.ts'
import { isTimeUp, tellProgress } from './progress.ts'
import { emptyTally, report, SEED } from './reliability-report.ts'

const ROUNDS = Number(env['SNAPFERRY_LATE_ROUNDS'] ?? 30)
/** Some land while the next run writes, some behind it. */
const LATER_MS = [0, 20, 100, 300, 1000]
const WRITES = ['PutPage', 'PutPageFromUrl', 'ClearPages']

let scene: ChaosScene
beforeAll(async () => {
  stderr.write(`seed ${SEED}\n`)
  scene = await openChaosScene()
})
afterAll(() => scene?.close())

test('no page write that lands after its run changes a byte', async () => {
  const tally = emptyTally()
  const world = createWorld(scene, await scene.openLane())
  const { faults } = scene.azure
  for (let round = 0; round < ROUNDS && !isTimeUp(); round++) {
    // `done`: the network doubled the request. What lands while its own run is open writes what belongs there.
    const rule = faults.add({ operation: WRITES, effect: { kind: 'lateWrite', delayMs: LATER_MS[round % LATER_MS.length]!, original: 'done' } })
    await playStep(world, change(SEED + 3 * round))
    if (round % 3 === 2) await playStep(world, clear)
    await playBackup(world, backUp({ keepLast: 3, sample: 1 }))
    faults.remove(rule)
    tellProgress(round + 1, ROUNDS)
  }
  const outcomes = (): (string | undefined)[] => faults.fired().map(({ outcome }) => outcome)
  while (outcomes().some((outcome) => outcome === undefined)) await sleep(50)

  const wrong = [...world.faults, ...(await faultsOfPoints(world, 0))]
  const left = await leavings(world, 0)
  const refused = outcomes().filter((outcome) => outcome?.startsWith('412')).length
  tally.cases = outcomes().length
  tally.wrong = wrong.length
  tally.leaked = left.length
  tally.figures['refused by the epoch'] = refused
  tally.figures['landed in their own run'] = outcomes().filter((outcome) => outcome?.startsWith('20')).length
  await report('late-writes', tally)
  expect([...wrong, ...left]).toEqual([])
  expect(refused).toBeGreaterThan(0)
}, 3600_000)
