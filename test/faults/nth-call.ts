/**
 * One fault at every call: each scenario is run once to count its calls to Azure; then for each call and each kind of fault it is
 * run with that one fault, and for each operation with a fault that lasts. `npm run nth-call` plays all of them; without it, a
 * seeded sample.
 *
 * Played in two files, as Jest gives each file a process: one the first scenarios, the other one the rest, which have as many calls.
 */
import { env, stderr } from 'node:process'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { endHold } from '../../azure/point-holds.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { FaultRuleSpec } from '../../simulator/faults/fault-rule.ts'
import { openChaosScene, type ChaosScene } from '../chaos/chaos-scene.ts'
import { faultsOfPoints, holdsIn } from '../chaos/final-checks.ts'
import { failureTypeOf } from '../chaos/in-process-backup.ts'
import { createWorld, type World } from '../chaos/world.ts'
import { LASTING, PASSING, type FaultKind } from './fault-kinds.ts'
import { isTimeUp, tellProgress } from './progress.ts'
import { emptyTally, report, SEED } from './reliability-report.ts'
import type { Scenario } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'

const SHARES = 2
const SCENARIOS_OF_THE_FIRST = 4
const CASES = Number(env['SNAPFERRY_NTH_CALL_CASES'] ?? 100) / SHARES
/** Cases that are played at the same time, each on a local Azure of its own: most of one is waiting. */
const BENCHES = 4
/** A disk fills up with every case, and so does what is known of its snapshots: after so many cases another one takes its place. */
const CASES_PER_WORLD = 20
const LONGEST_RUN_MS = 12 * 3600_000

interface Case {
  readonly scenario: Scenario
  readonly kind: FaultKind
  readonly rule: FaultRuleSpec
  readonly title: string
}

/** A local Azure, and the world that each scenario goes on in. */
interface Bench {
  readonly scene: ChaosScene
  readonly worlds: Map<Scenario, { readonly world: World; cases: number }>
  rounds: number
}

const benches: Bench[] = []
const tally = emptyTally()
const findings: string[] = []

/** Declares the test of one of the two files. */
export function testShare(share: 1 | 2): void {
  beforeAll(async () => {
    stderr.write(`seed ${SEED}\n`)
    for (let index = 0; index < BENCHES; index++) benches.push({ scene: await openChaosScene(), worlds: new Map(), rounds: 0 })
  })
  afterAll(async () => {
    for (const { scene } of benches) await scene.close()
  })

  test('a fault at any call ends in right bytes, or in a failure with a name and all older points intact', async () => {
    const all: Case[] = []
    const scenarios = share === 1 ? SCENARIOS.slice(0, SCENARIOS_OF_THE_FIRST) : SCENARIOS.slice(SCENARIOS_OF_THE_FIRST)
    for (const scenario of scenarios) all.push(...(await casesOf(scenario)))
    // In no order, so that also what a limit of time leaves is of all kinds.
    const chosen = sample(all, CASES)
    tally.figures['possible cases'] = all.length
    try {
      await Promise.all(benches.map((bench) => playAll(bench, chosen)))
    } finally {
      await report('nth-call', tally, share)
    }
    expect(findings).toEqual([])
    expect(tally.cases).toBeGreaterThan(0)
  }, LONGEST_RUN_MS)
}

/** Runs a scenario without faults, and counts. */
async function casesOf(scenario: Scenario): Promise<Case[]> {
  const bench = benches[0]!
  const counts = new Map<FaultKind, number>()
  const operations = new Set<string>()
  const world = await worldFor(bench, scenario)
  await scenario.arrange(world, bench.rounds++)
  const { faults } = bench.scene.azure
  await scenario.run(world, {
    async around(run) {
      // Rules that see every call and hit none.
      const ids = PASSING.map((kind) => [kind, faults.add({ ...ruleOf(kind), probability: 0 })] as const)
      const watcher = faults.add({ effect: { kind: 'delay', when: 'before', delayMs: 0 } })
      try {
        return await run()
      } finally {
        for (const [kind, id] of ids) counts.set(kind, faults.rules().find((one) => one.id === id)!.seen)
        for (const { ruleId, operation } of faults.fired()) if (ruleId === watcher) operations.add(operation)
        faults.clear()
      }
    },
  })
  expect(world.faults).toEqual([])
  tally.figures[`calls of a ${scenario.name}`] = counts.get(PASSING[0]!)!
  const passing = PASSING.flatMap((kind) =>
    Array.from({ length: counts.get(kind)! }, (_, index) => ({
      scenario,
      kind,
      rule: { ...ruleOf(kind), nth: index + 1 },
      title: `${scenario.name}, ${kind.name} at call ${index + 1}`,
    })),
  )
  const lasting = LASTING.flatMap((kind) =>
    [...operations].map((operation) => ({ scenario, kind, rule: { ...ruleOf(kind), operation }, title: `${scenario.name}, ${kind.name} at every ${operation}` })),
  )
  return [...passing, ...lasting]
}

function ruleOf({ effect, operation }: FaultKind): FaultRuleSpec {
  return { effect, ...(operation !== undefined && { operation: [...operation] }) }
}

async function playAll(bench: Bench, queue: Case[]): Promise<void> {
  const of = queue.length
  for (let next = queue.shift(); next !== undefined && !isTimeUp(); next = queue.shift()) {
    const found = await playCase(bench, next)
    tellProgress(of - queue.length, of)
    if (found.length === 0) continue
    findings.push(...found)
    for (const finding of found) stderr.write(`${finding}\n`)
    // What went wrong must not be found again in the next case.
    bench.worlds.delete(next.scenario)
  }
}

/** @returns what is wrong, in words. */
async function playCase(bench: Bench, { scenario, kind, rule, title }: Case): Promise<string[]> {
  const { faults } = bench.scene.azure
  const world = await worldFor(bench, scenario)
  await scenario.arrange(world, bench.rounds++)
  let met = 0
  const error = await scenario.run(world, {
    async around(run) {
      const id = faults.add(rule)
      try {
        return await run()
      } finally {
        met = faults.rules().find((one) => one.id === id)?.fired ?? 0
        faults.clear()
      }
    },
    mayFail: (failure) => !kind.passes && failureTypeOf(failure) !== undefined,
    mayLeavePoints: !kind.passes,
  })
  const titled = (found: readonly string[]): string[] => found.map((finding) => `${title}: ${finding}`)
  if (met === 0) {
    const wrong = world.faults.splice(0)
    tally.wrong += Math.sign(wrong.length)
    return titled(wrong)
  }
  tally.cases++
  if (error !== undefined) count(`ended with ${failureTypeOf(error) ?? 'no name'}`)
  const faultsNow = scenario.faults ?? ((now: World) => faultsOfPoints(now, 0))
  const wrong = [...world.faults.splice(0), ...(await faultsNow(world))]
  let left = [...(await scenario.leavings(world)), ...(await takeHoldsAway(world, kind))]
  let unfinished: string[] = []
  if (error !== undefined || left.length > 0) {
    if (left.length > 0) count('left for the next run')
    await scenario.again(world)
    unfinished = world.faults.splice(0)
    if (unfinished.length === 0) wrong.push(...(await faultsNow(world)))
    // Nobody can tidy up for whom the call is refused that it takes.
    left = [...(scenario.isTidyAtOnce === true && kind.isLasting !== true ? left : []), ...(await scenario.leavings(world)), ...(await takeHoldsAway(world))]
  }
  tally.wrong += Math.sign(wrong.length)
  tally.leaked += Math.sign(left.length)
  tally.unfinished += Math.sign(unfinished.length)
  return titled([...wrong, ...left, ...unfinished.map((one) => `the same again: ${one}`)])
}

/** @returns the holds that should not be there. One whose deletion was refused lapses by itself, hours later. */
async function takeHoldsAway(world: World, kind?: FaultKind): Promise<string[]> {
  const { scene, lane } = world
  const names = await holdsIn(world, 0)
  for (const name of names) await endHold(scene.clients, lane.targetUrls[0]!, name)
  return kind?.passes === false ? [] : names.map((name) => `the hold ${name} was left`)
}

function count(what: string): void {
  tally.figures[what] = Number(tally.figures[what] ?? 0) + 1
}

async function worldFor({ scene, worlds }: Bench, scenario: Scenario): Promise<World> {
  const known = worlds.get(scenario)
  if (known !== undefined && scenario.isFirst !== true && known.cases++ < CASES_PER_WORLD) return known.world
  await known?.world.lane.close()
  const world = createWorld(scene, await scene.openLane())
  worlds.set(scenario, { world, cases: 1 })
  return world
}

function sample<T>(all: readonly T[], size: number): T[] {
  const random = seededRandom(SEED)
  return all
    .map((one) => ({ one, key: random() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, size)
    .map(({ one }) => one)
}
