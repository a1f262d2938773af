/**
 * SIGKILL at every call: all lanes run at once, each into a trap at a call of its own; when every lane is held there, the worker, the
 * Temporal server, the local Azure or all three are killed in that instant and started again. Every run has to come to its end by
 * itself, with the right bytes and nothing left behind.
 */
import { env, stderr } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { DEFAULT_OPTIONS, type BackupOptions } from '../../domain/policy.ts'
import { describeCause } from '../../workflows/describe-cause.ts'
import { startKillableStack, VICTIMS, type KillableStack, type Victim } from './killable-stack.ts'
import { isTimeUp, tellProgress } from './progress.ts'
import { emptyTally, report, SEED } from './reliability-report.ts'
import { changeDisk, faultsOfLane, leftInLane, openLane, pointsOf, type Lane } from './stack-lane.ts'

const POINTS = Number(env['SNAPFERRY_CRASH_POINTS'] ?? 32)
const LANES = POINTS > 64 ? 24 : 8
const OPTIONS: BackupOptions = { ...DEFAULT_OPTIONS, retention: { keepLast: 3 }, verify: { ...DEFAULT_OPTIONS.verify, sampleChanged: 2, sampleUnchanged: 2 } }
/** As long as all lanes may take to reach their traps; a lane that has ended before its trap waits for nobody. */
const GATHER_MS = 45_000
/** Behind it a run counts as one that does not end by itself. */
const PATIENCE_MS = 8 * 60_000
const LONGEST_RUN_MS = 12 * 3600_000

/** What the runs of a batch do; each goes on from what the one before it made. */
const SCENARIOS = ['full backup', 'incremental backup', 'restore', 'incremental backup'] as const
type Scenario = (typeof SCENARIOS)[number]

const tally = emptyTally()
const findings: string[] = []
let stack: KillableStack
beforeAll(async () => {
  stderr.write(`seed ${SEED}\n`)
  stack = await startKillableStack()
}, 120_000)
afterAll(() => stack?.close(), 60_000)

test('a run that is killed at any call comes to its end, with the right bytes and nothing left behind', async () => {
  const callsOf = await countCalls()
  let lanes: Lane[] = []
  let most = 0
  for (let batch = 0; tally.cases < POINTS && batch < 4 * POINTS && !isTimeUp(); batch++) {
    const scenario = SCENARIOS[batch % SCENARIOS.length]!
    // Each scenario meets each victim in time.
    const victim = VICTIMS[(batch + Math.floor(batch / SCENARIOS.length)) % VICTIMS.length]!
    if (scenario === 'full backup') lanes = await Promise.all(Array.from({ length: LANES }, () => openLane(stack)))
    const repeated = await playBatch(lanes, scenario, victim, (index) => 1 + ((batch * LANES + index * 7 + SEED) % callsOf[scenario]!))
    most = Math.max(most, repeated)
    tellProgress(tally.cases, POINTS)
  }
  tally.figures['copies sent again by one run, at most'] = most
  const histories = await stack.secretsInHistories()
  tally.wrong += histories.findings.length
  findings.push(...histories.findings.map((where) => `a secret stands in ${where}`))
  await report('crash-sweep', tally)
  expect(findings).toEqual([])
  expect(histories.count).toBeGreaterThan(0)
  expect(tally.cases).toBeGreaterThan(0)
}, LONGEST_RUN_MS)

/** By one run of each that nobody disturbs. */
async function countCalls(): Promise<Record<string, number>> {
  const lane = await openLane(stack)
  const counts: Record<string, number> = {}
  for (const scenario of SCENARIOS) {
    if (scenario !== 'restore') await changeDisk(stack, lane)
    stack.azure.set({ lane: lane.name, atCall: Number.MAX_SAFE_INTEGER, isAfter: false })
    await run(lane, scenario)
    counts[scenario] = (await stack.azure.counts()).calls[lane.name] ?? 1
  }
  return counts
}

/** @returns how many copies the run that repeated most sent again. */
async function playBatch(lanes: readonly Lane[], scenario: Scenario, victim: Victim, callOf: (index: number) => number): Promise<number> {
  const { azure } = stack
  for (const [index, lane] of lanes.entries()) {
    if (scenario !== 'restore') await changeDisk(stack, lane)
    azure.set({ lane: lane.name, atCall: callOf(index), isAfter: index % 2 === 1 })
  }
  const ended = new Set<string>()
  const runs = lanes.map(async (lane) => {
    try {
      await Promise.race([run(lane, scenario), patience()])
      return undefined
    } catch (error) {
      return describeCause(error)
    } finally {
      ended.add(lane.name)
    }
  })
  const deadlineMs = Date.now() + GATHER_MS
  while (Date.now() < deadlineMs && lanes.some(({ name }) => !azure.trapped.has(name) && !ended.has(name))) await sleep(50)
  const hit = lanes.filter(({ name }) => azure.trapped.has(name)).length
  const inFlight = (await azure.counts()).copies
  // A client that lives on gets its answer when the server that was killed is not the one it waits for.
  if (victim === 'temporal') {
    await stack.strike(victim)
    azure.release(false)
  } else {
    const struck = stack.strike(victim)
    azure.release(true)
    await struck
  }
  const outcomes = await Promise.all(runs)
  tally.cases += hit
  count(`killed: ${victim}`, hit)
  const { copies } = await azure.counts()
  let most = 0
  for (const [index, lane] of lanes.entries()) {
    const failure = outcomes[index]
    const wrong = await faultsOf(lane, scenario)
    const left = await leftInLane(stack, lane, lane.targetUrl)
    const sent = copies[lane.name]
    // The counts of a local Azure that was killed are gone with it.
    const repeated = sent === undefined || victim === 'azure' || victim === 'all' ? 0 : sent.sent - sent.ranges
    const held = inFlight[lane.name]?.inFlight ?? 0
    most = Math.max(most, repeated)
    if (repeated > held) wrong.push(`${repeated} copies were sent again, and ${held} were in flight`)
    tally.unfinished += failure === undefined ? 0 : 1
    tally.wrong += Math.sign(wrong.length)
    tally.leaked += Math.sign(left.length)
    const title = `${scenario}, ${victim} killed at call ${callOf(index)} of ${lane.name}`
    findings.push(...[...(failure === undefined ? [] : [failure]), ...wrong, ...left].map((one) => `${title}: ${one}`))
  }
  stderr.write(`${scenario}, ${victim} killed: ${hit} of ${lanes.length} at their call\n`)
  return most
}

async function run(lane: Lane, scenario: Scenario): Promise<void> {
  if (scenario !== 'restore') return void (await stack.backUp(lane, OPTIONS))
  const [newest] = await pointsOf(stack, lane, lane.targetUrl)
  if (newest === undefined) throw new Error(`${lane.name} has no point to restore`)
  await stack.restore(lane, newest.id)
}

async function patience(): Promise<never> {
  await sleep(PATIENCE_MS, undefined, { ref: false })
  throw new Error(`the run did not end within ${PATIENCE_MS / 60_000} minutes`)
}

/** Every point against the model, and the disk that was restored. */
async function faultsOf(lane: Lane, scenario: Scenario): Promise<string[]> {
  const faults = await faultsOfLane(stack, lane, lane.targetUrl, OPTIONS.retention.keepLast)
  if (scenario !== 'restore') return faults
  const digestOf = async (id: string): Promise<unknown> => ((await stack.azure.control('GET', '/digest', { id })) as { sha256: unknown }).sha256
  if ((await digestOf(lane.restoredDiskId)) !== (await digestOf(lane.diskId))) faults.push('the restored disk differs from the disk')
  await stack.azure.control('DELETE', '/disks', { id: lane.restoredDiskId })
  return faults
}

function count(what: string, by: number): void {
  tally.figures[what] = Number(tally.figures[what] ?? 0) + by
}
