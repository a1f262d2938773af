/** Histories that are worth playing every time: those that found something, and one for each thing that a run has to get right. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SEED } from '../faults/reliability-report.ts'
import { playBackup } from './backup-step.ts'
import { openChaosScene, type ChaosScene } from './chaos-scene.ts'
import { leavings } from './final-checks.ts'
import type { History, Step } from './history.ts'
import { playHistory, playStep } from './play-history.ts'
import { someCrashes } from './some-crashes.ts'
import { backUp, change, clear, fault, faultInTransfer, scattered } from './support.ts'
import { createWorld } from './world.ts'

let scene: ChaosScene
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openChaosScene()
})
afterAll(() => {
  process.stderr.write(`${scene.tripwires.tripped} runs met a fault\n`)
  return scene.close()
})

const deleteByOthers = (what: Extract<Step, { do: 'deleteByOthers' }>['what'], which: number): Step => ({ do: 'deleteByOthers', what, target: 0, which })
const atEnd: Step = { do: 'change', changes: [{ kind: 'write', area: 999, place: 999, pages: 20, seed: 5 }] }
const verifySource: Step = { do: 'verify', target: 0, which: 0, level: 'source' }
const OLDEST = 999
const NEWEST = 0

const HISTORIES: readonly (readonly [claim: string, history: History])[] = [
  ['changes, rewrites and clears are brought forward', [change(1), backUp(), change(2), clear, change(3), backUp()]],
  ['what the machine writes during a run belongs to the next point', [change(1), backUp({ during: [{ kind: 'write', area: 0, place: 10, pages: 50, seed: 9 }] }), backUp()]],
  ['a disk that grows keeps no footer inside', [change(1), backUp(), { do: 'grow' }, backUp(), { do: 'grow' }, change(2), backUp()]],
  ['points beyond the retention go, with their bytes', [change(1), backUp(), change(2), backUp(), change(3), backUp({ keepLast: 2 })]],
  ['a disk of the same name is another disk', [change(1), backUp(), { do: 'recreateDisk' }, change(2), backUp()]],
  [
    'the last chunk of a disk of an image, half of it footer, is brought forward, verified and grown',
    [{ do: 'recreateDisk', extraMib: 1 }, atEnd, backUp(), change(2), atEnd, backUp(), verifySource, { do: 'restore', target: 0, which: NEWEST }, { do: 'grow' }, backUp(), verifySource],
  ],
  ['a request that comes again after its disk was made anew is another one', [change(1), backUp(), { do: 'recreateDisk' }, change(2), backUp({ repeats: 0 })]],
  ['two targets do not know of each other', [change(1), backUp(), backUp({ target: 1 }), change(2), backUp(), change(3), backUp({ target: 1 })]],
  ['a cursor that others deleted leads to a whole transfer', [change(1), backUp(), deleteByOthers('sourceSnapshot', NEWEST), clear, change(2), backUp()]],
  ['a last point whose bytes others deleted leads to a whole transfer', [change(1), backUp(), change(2), backUp(), deleteByOthers('blobSnapshot', NEWEST), clear, backUp()]],
  [
    'what a terminated run wrote and the machine gave up since is not in the next point',
    [backUp(), scattered, backUp({ fault: faultInTransfer('terminated', 3) }), clear, backUp()],
  ],
  ['a transfer that is resumed writes what was not written and nothing else', [scattered, backUp({ fault: faultInTransfer('resumed', 4) })]],
  [
    'a point whose bytes others deleted pushes none that can be restored out of the retention',
    [change(1), backUp(), change(2), backUp(), deleteByOthers('blobSnapshot', NEWEST), change(3), backUp({ keepLast: 2 })],
  ],
  ['a request that comes again after its point was made makes no second one', [change(1), backUp(), change(2), backUp(), change(3), backUp({ repeats: 0 })]],
  [
    'a request that comes again does not take the bytes of its earlier run for its own',
    [change(1), backUp(), change(2), backUp(), deleteByOthers('manifest', OLDEST), change(3), backUp({ repeats: 0 })],
  ],
  [
    'a request that comes again after its run was terminated and its snapshot deleted starts anew',
    [change(1), backUp(), change(2), backUp({ fault: fault('terminated', 45) }), deleteByOthers('sourceSnapshot', OLDEST), change(3), backUp({ repeats: 999 })],
  ],
]

/** Each fault of the history has to strike, or the claim is about nothing. */
async function expectRight(history: History): Promise<void> {
  const faults = history.filter((step) => step.do === 'backUp' && step.fault !== undefined)
  const { tripped } = scene.tripwires
  expect(await playHistory(scene, history)).toEqual([])
  expect(scene.tripwires.tripped - tripped).toBe(faults.length)
}

test.each(HISTORIES)('%s', (_claim, history) => expectRight(history))

test.each(someCrashes(['resumed', 'terminated', 'cancelled', 'answerLost'], [4, 16, 24, 28, 32, 36, 42]))(
  'a run that is %s at call %i leaves right points and nothing else',
  (outcome, atCall) => expectRight([change(1), backUp(), change(2), clear, backUp({ fault: fault(outcome, atCall) }), change(3), backUp()]),
  60_000,
)

test('a run that takes points away leaves nothing of them for the next one', async () => {
  const world = createWorld(scene, await scene.openLane())
  for (const seed of [1, 2, 3]) {
    await playStep(world, change(seed))
    await playBackup(world, backUp({ keepLast: 1 }))
  }
  expect([...world.faults, ...(await leavings(world, 0))]).toEqual([])
})
