/**
 * Two installations, each with a Temporal of its own, on one disk and one target: nothing but the base blob stands between them.
 * One begins in the middle of the other, at a step that chance picks: with a backup, which prunes as well, a restore or a
 * verification. Every third round both have one policy file, and with it one request, whose key and source snapshot are those of both.
 * Whichever is overtaken may fail by name; no point may be wrong, lost or invented.
 *
 * Played in two files, each with a local Azure of its own, as Jest gives each file a process.
 */
import { env, stderr } from 'node:process'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { GIB, PAGE_BYTES } from '../../domain/byte-range.ts'
import type { FailureType } from '../../domain/failures.ts'
import type { RequestKey } from '../../domain/names.ts'
import { DEFAULT_VERIFY } from '../../domain/policy.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { SourceSnapshot } from '../../domain/source-disk.ts'
import { describeCause } from '../../workflows/describe-cause.ts'
import { openChaosScene, type ChaosScene, type Lane } from '../chaos/chaos-scene.ts'
import { playBackup } from '../chaos/backup-step.ts'
import { areasOf, type Content } from '../chaos/disk-model.ts'
import { faultsOfPoints, leavings } from '../chaos/final-checks.ts'
import { failureTypeOf } from '../chaos/in-process-backup.ts'
import { backupDisk, playWorkflow } from '../chaos/in-process-temporal.ts'
import { playStep } from '../chaos/play-history.ts'
import { playRestore } from '../chaos/restore-step.ts'
import { backUp, change } from '../chaos/support.ts'
import { createWorld, type World } from '../chaos/world.ts'
import { isTimeUp, tellProgress } from './progress.ts'
import { emptyTally, report, SEED } from './reliability-report.ts'
import { verifyNewest } from './verify-scenario.ts'

const SHARES = 2
const ROUNDS = Number(env['SNAPFERRY_TWO_OPERATORS_ROUNDS'] ?? 40) / SHARES
/** Pairs of installations that quarrel at the same time, each about a disk of its own. */
const LANES = 4
/** Of the one run, behind which the other one begins. */
const STEPS = ['planBackup', 'takeSourceSnapshot', 'openBaseBlob', 'surveyChanges', 'transferExtent', 'verifyBaseBlob', 'sealRecoveryPoint']
/** What a run may end with that another one got in the way of. */
const OVERTAKEN: readonly FailureType[] = ['FencedOut', 'SourceSnapshotNotFound', 'SnapshotAccessBusy', 'PointNotFound', 'PointDamaged']
/** And where the other one carried out the same request. */
const OVERTAKEN_BY_ITS_TWIN: readonly FailureType[] = [...OVERTAKEN, 'PointExists']
const LONGEST_RUN_MS = 12 * 3600_000

const tally = emptyTally()
const findings: string[] = []
let scene: ChaosScene
let random: () => number

/** Declares the test of one of the two files. */
export function testShare(share: 1 | 2): void {
  const seed = SEED + share - 1
  beforeAll(async () => {
    stderr.write(`seed ${SEED}\n`)
    random = seededRandom(seed)
    scene = await openChaosScene()
  })
  afterAll(() => scene?.close())

  test('of two installations on one disk and target neither makes, loses or spoils a point of the other', async () => {
    scene.azure.faults.add({ id: 'shuffle', probability: 0.2, seed, effect: { kind: 'delay', when: 'before', delayMs: 15 } })
    await Promise.all(Array.from({ length: LANES }, (_, index) => playLane(Math.ceil(ROUNDS / LANES), index)))
    const { SequenceNumberConditionNotMet = 0, ConditionNotMet = 0 } = scene.azure.stats().blob.errors
    tally.figures['writes refused by the epoch'] = SequenceNumberConditionNotMet
    tally.figures['changes refused by an ETag'] = ConditionNotMet
    await report('two-operators', tally, share)
    expect(findings).toEqual([])
    expect(Number(tally.figures['runs that made a point'])).toBeGreaterThan(0)
  }, LONGEST_RUN_MS)
}

async function playLane(rounds: number, index: number): Promise<void> {
  const lane = await scene.openLane()
  const world = createWorld(scene, lane)
  for (let round = 0; round < rounds && !isTimeUp(); round++) {
    await playStep(world, change(SEED + round * 7 + index))
    const before = await world.points(0)
    const requestedAt = new Date().toISOString()
    const isOneRequest = round % 3 === 2
    const first = { request: { requestedAt, requestId: `first ${round}` }, mayEndWith: isOneRequest ? OVERTAKEN_BY_ITS_TWIN : OVERTAKEN }
    const others = (): Promise<unknown> =>
      isOneRequest ? playInstallation(world, lane, first) : playOther(world, lane, { requestedAt, requestId: `second ${round}` })
    // The other comes in the middle, at a step that chance picks.
    const step = STEPS[Math.floor(random() * STEPS.length)]!
    let second: Promise<unknown> | undefined
    await playInstallation(world, lane, first, (name) => {
      if (name === step) second ??= others()
    })
    await (second ?? others())
    tally.cases++
    tellProgress(tally.cases, ROUNDS)
    const after = await world.points(0)
    const wrong = [...world.faults.splice(0), ...(await faultsOfPoints(world, 0))]
    if (isOneRequest) count(after.some(({ id }) => before.every((old) => old.id !== id)) ? 'requests of both that made a point' : 'requests of both that made none')
    // Each keeps three, so what was the newest before outlives both new ones.
    if (before[0] !== undefined && !after.some(({ id }) => id === before[0]!.id)) wrong.push(`point ${before[0].id} was lost`)
    tally.wrong += Math.sign(wrong.length)
    findings.push(...wrong.map((one) => `round ${round} of lane ${index}: ${one}`))
  }
  const last = await playBackup(world, backUp({ keepLast: 3 }))
  const left = await leavings(world, 0)
  const wrong = [...world.faults, ...(await faultsOfPoints(world, 0))]
  tally.unfinished += last === undefined ? 0 : 1
  tally.wrong += Math.sign(wrong.length)
  tally.leaked += Math.sign(left.length)
  findings.push(...[...wrong, ...left].map((one) => `behind the last round of lane ${index}: ${one}`))
}

/** What the second installation does beside the first one's run. */
async function playOther(world: World, lane: Lane, request: RequestKey): Promise<unknown> {
  const dice = random()
  const isFirst = (await world.pointsAsLeft(0)).length === 0
  // Without a point there is nothing to restore or to verify.
  if (dice < 0.7 || isFirst) return playInstallation(world, lane, { request, mayEndWith: OVERTAKEN })
  const what = dice < 0.85 ? 'restores' : 'verifications'
  const conditions = { mayFail: (error: unknown) => endsWithOneOf(OVERTAKEN, error) }
  const failure = await (what === 'restores' ? playRestore(world, { target: 0, which: 999 * random() }, conditions) : verifyNewest(world, conditions))
  count(failure === undefined ? what : `${what} that ended with ${failureTypeOf(failure)}`)
  return failure
}

interface Run {
  readonly request: RequestKey
  readonly mayEndWith: readonly FailureType[]
}

/** One run, as an installation makes it that knows nothing of the other. */
async function playInstallation(world: World, { diskId, targetUrls }: Lane, { request, mayEndWith }: Run, onStep: (name: string) => void = () => {}): Promise<void> {
  const options = { retention: { keepLast: 3 }, verify: { ...DEFAULT_VERIFY, sampleChanged: 1, sampleUnchanged: 1 } }
  try {
    await playWorkflow(
      backupDisk,
      { diskId, targetUrl: targetUrls[0]!, options, request },
      {
        startProcess: scene.startProcess,
        async onActivity(name, result) {
          onStep(name)
          if (name !== 'takeSourceSnapshot') return
          const { id, uniqueId } = result as SourceSnapshot
          // Who came first is not known here: what a snapshot holds is asked of the local Azure itself.
          world.noteSnapshot(uniqueId, await contentOf(id))
          await playStep(world, change(Math.floor(1e6 * random())))
        },
      },
    )
    count('runs that made a point')
  } catch (error) {
    count(`runs that ended with ${failureTypeOf(error) ?? 'no name'}`)
    if (!endsWithOneOf(mayEndWith, error)) world.faults.push(`${request.requestId}: a run failed that had no reason to: ${describeCause(error)}`)
  }
}

async function contentOf(snapshotId: string): Promise<Content> {
  const pages = new Map<number, Buffer>()
  for (const { startBytes, endBytes } of areasOf(GIB)) {
    const data = await scene.azure.readDisk(snapshotId, startBytes, endBytes - startBytes)
    for (let at = 0; at < data.length; at += PAGE_BYTES) pages.set((startBytes + at) / PAGE_BYTES, data.subarray(at, at + PAGE_BYTES))
  }
  return pages
}

function endsWithOneOf(types: readonly FailureType[], error: unknown): boolean {
  const type = failureTypeOf(error)
  return type !== undefined && types.includes(type)
}

function count(what: string): void {
  tally.figures[what] = Number(tally.figures[what] ?? 0) + 1
}
