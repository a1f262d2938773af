/**
 * A fortnight in minutes: every simulated day the disks change and the Schedule of their policy starts a run, while one call in a
 * hundred fails and, on every second day, the worker is killed in the middle. What a worker holds and what histories grow to must
 * stay flat, and every point that is kept must equal the model. `npm run soak` takes 14 days and 50 disks; without it, three days
 * and six disks.
 */
import { env, stderr } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { DEFAULT_OPTIONS, type Policy } from '../../domain/policy.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { describeCause } from '../../workflows/describe-cause.ts'
import { startKillableStack, type KillableStack } from './killable-stack.ts'
import { isTimeUp } from './progress.ts'
import { emptyTally, report, SEED } from './reliability-report.ts'
import { changeDisk, faultsOfLane, leftInLane, openLane, type Lane } from './stack-lane.ts'

const DAYS = Number(env['SNAPFERRY_SOAK_DAYS'] ?? 3)
const DISKS = DAYS > 3 ? 50 : 6
const KEEP = 3
/** A kill comes this late into a run, at most. */
const KILL_WITHIN_MS = 5000
const FAULTS = [
  { kind: 'reset', when: 'before' },
  { kind: 'reset', when: 'after' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
] as const
const LONGEST_RUN_MS = 12 * 3600_000

/** A day on which the worker lived. */
interface Day {
  readonly residentBytes: number
  readonly openFiles: number
  readonly ownEvents: number
  readonly longestEvents: number
}

const tally = emptyTally()
const findings: string[] = []
const random = seededRandom(SEED)
let stack: KillableStack
beforeAll(async () => {
  stderr.write(`seed ${SEED}\n`)
  stack = await startKillableStack()
}, 120_000)
afterAll(() => stack?.close(), 60_000)

test('day after day of faults and killed workers nothing grows, and every point that is kept is right', async () => {
  const lanes: Lane[] = []
  for (let index = 0; index < DISKS; index++) lanes.push(await openLane(stack))
  const targetUrl = await stack.openTarget('soak')
  const policy: Policy = {
    name: 'soak',
    targetUrl,
    diskIds: lanes.map(({ diskId }) => diskId),
    options: { ...DEFAULT_OPTIONS, retention: { keepLast: KEEP }, verify: { ...DEFAULT_OPTIONS.verify, sampleChanged: 1, sampleUnchanged: 1 } },
    maxConcurrentDisks: 8,
  }
  // Of a hundred calls one fails, in one of these ways.
  for (const [index, effect] of FAULTS.entries()) {
    await stack.azure.control('POST', '/faults', {}, { probability: 0.01 / FAULTS.length, seed: SEED + index, effect })
  }
  const days: (Day | undefined)[] = []
  for (let day = 1; day <= DAYS && !isTimeUp(); day++) days.push(await playDay(policy, lanes, day))

  await stack.azure.control('DELETE', '/faults')
  for (const lane of lanes) {
    const wrong = await faultsOfLane(stack, lane, targetUrl, KEEP)
    const left = await leftInLane(stack, lane, targetUrl)
    tally.wrong += Math.sign(wrong.length)
    tally.leaked += Math.sign(left.length)
    findings.push(...[...wrong, ...left].map((one) => `${lane.name}: ${one}`))
  }
  const measuresOf = (some: readonly (Day | undefined)[]): Day[] => some.filter((day) => day !== undefined)
  const [first, last] = [measuresOf(days.slice(0, Math.ceil(days.length / 2))), measuresOf(days.slice(Math.floor(days.length / 2)))]
  for (const [what, of, slack] of [
    ['resident MB of a worker', (day: Day) => Math.round(day.residentBytes / 1e6), 100],
    ['open files of a worker', (day: Day) => day.openFiles, 30],
    ['events of a policy run', (day: Day) => day.ownEvents, 20],
    ['events of the longest backup', (day: Day) => day.longestEvents, 40],
  ] as const) {
    if (first.length === 0 || last.length === 0) continue
    const [before, after] = [median(first.map(of)), median(last.map(of))]
    tally.figures[`${what}, first and second half`] = `${before}, ${after}`
    // A worker that was started anew holds less: growth alone is wrong.
    if (after <= before * 1.3 + slack) continue
    tally.wrong++
    findings.push(`${what} grew from ${before} to ${after}`)
  }
  const histories = await stack.secretsInHistories()
  tally.wrong += histories.findings.length
  findings.push(...histories.findings.map((where) => `a secret stands in ${where}`))
  await report('soak', tally)
  expect(findings).toEqual([])
  expect(histories.count).toBeGreaterThan(0)
}, LONGEST_RUN_MS)

/** @returns undefined where there is nothing to measure: the run failed, or the worker is younger than it. */
async function playDay(policy: Policy, lanes: readonly Lane[], day: number): Promise<Day | undefined> {
  for (const lane of lanes) await changeDisk(stack, lane)
  let isOpen = true
  let killed: Promise<boolean> | undefined
  const killInTheMiddle = async (): Promise<boolean> => {
    await sleep(random() * KILL_WITHIN_MS)
    // Killed behind the run, nobody would have noticed.
    if (!isOpen) return false
    await stack.strike('worker')
    return true
  }
  const onStart = (): void => {
    if (day % 2 === 0) killed = killInTheMiddle()
  }
  const history = await stack
    .runPolicy(policy, onStart)
    .catch((error: unknown) => {
      tally.unfinished++
      findings.push(`day ${day}: ${describeCause(error)}`)
    })
    .finally(() => (isOpen = false))
  const isKilled = (await killed) === true
  tally.cases += lanes.length
  if (isKilled) tally.figures['workers killed'] = Number(tally.figures['workers killed'] ?? 0) + 1
  const { residentBytes = 0, openFiles = 0 } = (await stack.workerUsage()) ?? {}
  const histories = history === undefined ? '' : `; histories ${history.own}, ${history.longest}`
  stderr.write(`day ${day}: ${isKilled ? 'worker killed' : `worker ${Math.round(residentBytes / 1e6)} MB, ${openFiles} files`}${histories}\n`)
  if (isKilled || history === undefined) return undefined
  return { residentBytes, openFiles, ownEvents: history.own, longestEvents: history.longest }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
