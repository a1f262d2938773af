import { randomUUID } from 'node:crypto'
import {
  faultRuleSchema,
  type FaultEffect,
  type FaultKind,
  type FaultRule,
  type FaultRuleSpec,
} from './fault-rule.ts'

/**
 * The rules by which things go wrong, and the list of what went wrong by them. The services ask it at the places where
 * an effect can strike; it decides, they act.
 *
 * Rules may be added and removed at any time. A rule counts calls from when it was added.
 */

/** What a service is about to do. */
export interface FaultableCall {
  readonly operation: string
  /** Path of the resource: see `FaultRule.resource`. */
  readonly resource: string
}

export interface RuleReport {
  readonly id: string
  readonly rule: FaultRule
  /** Calls that operation and resource selected. */
  readonly seen: number
  /** How many of them it hit. */
  readonly fired: number
}

export interface FiredFault extends FaultableCall {
  readonly ruleId: string
  readonly kind: FaultKind
  /** Number of the call among those that the rule saw. */
  readonly call: number
  readonly at: string
  /** What became of it later: the status that a late write met with. */
  outcome?: string
}

interface Standing {
  readonly rule: FaultRule
  readonly selects: (call: FaultableCall) => boolean
  readonly chance: () => number
  seen: number
  fired: number
}

/** A fault that has fired, to be carried out by whoever asked. */
export interface Fault<Kind extends FaultKind = FaultKind> {
  readonly effect: Extract<FaultEffect, { kind: Kind }>
  readonly fired: FiredFault
}

/** The list of what fired is cut to the latest; the counts of rules are not. */
const MAX_FIRED = 10_000

export class FaultPlan {
  readonly #rules = new Map<string, Standing>()
  #fired: FiredFault[] = []
  readonly #clock: () => Date

  constructor(clock: () => Date = () => new Date()) {
    this.#clock = clock
  }

  /** Gives the id. @throws ZodError for a rule that is none; Error for an id that is taken. */
  add(spec: FaultRuleSpec): string {
    const rule = faultRuleSchema.parse(spec)
    const id = rule.id ?? randomUUID()
    if (this.#rules.has(id)) throw new Error(`there is a fault rule '${id}' already`)
    this.#rules.set(id, { rule, selects: selectorOf(rule), chance: randomOf(rule.seed), seen: 0, fired: 0 })
    return id
  }

  /** Twice is fine. */
  remove(id: string): void {
    this.#rules.delete(id)
  }

  /** Removes all rules and forgets what fired. */
  clear(): void {
    this.#rules.clear()
    this.#fired = []
  }

  rules(): RuleReport[] {
    return [...this.#rules].map(([id, { rule, seen, fired }]) => ({ id, rule, seen, fired }))
  }

  /** Oldest first. */
  fired(): readonly FiredFault[] {
    return this.#fired
  }

  /**
   * The faults of certain kinds that hit a call, in the order of their rules. A service asks once for each call and
   * kind, since asking counts the call.
   */
  draw<Kind extends FaultKind>(call: FaultableCall, kinds: readonly Kind[]): Fault<Kind>[] {
    const hits: Fault<Kind>[] = []
    for (const [ruleId, standing] of this.#rules) {
      const { effect } = standing.rule
      if (!isOf(effect, kinds) || !standing.selects(call) || !this.#strikes(standing)) continue
      const { kind } = effect
      const { operation, resource } = call
      const fired = { ruleId, kind, operation, resource, call: standing.seen, at: this.#clock().toISOString() }
      this.#fired.push(fired)
      if (this.#fired.length > MAX_FIRED) this.#fired.shift()
      hits.push({ effect, fired })
    }
    return hits
  }

  #strikes(standing: Standing): boolean {
    const { nth, every, probability, times } = standing.rule
    standing.seen += 1
    const number = standing.seen
    // Drawn for every call, so that what else a rule demands does not shift which calls chance picks.
    const chance = standing.chance()
    if (times !== undefined && standing.fired >= times) return false
    if (nth !== undefined && !(Array.isArray(nth) ? nth.includes(number) : nth === number)) return false
    if (every !== undefined && number % every !== 0) return false
    if (probability !== undefined && chance >= probability) return false
    standing.fired += 1
    return true
  }
}

function isOf<Kind extends FaultKind>(
  effect: FaultEffect,
  kinds: readonly Kind[],
): effect is Extract<FaultEffect, { kind: Kind }> {
  return (kinds as readonly FaultKind[]).includes(effect.kind)
}

function selectorOf({ operation, resource }: FaultRule): (call: FaultableCall) => boolean {
  const operations = operation === undefined ? undefined : [operation].flat().map(patternOf)
  const resources = resource === undefined ? undefined : patternOf(resource)
  return (call) =>
    (operations === undefined || operations.some((pattern) => pattern.test(call.operation))) &&
    (resources === undefined || resources.test(call.resource))
}

function patternOf(glob: string): RegExp {
  const parts = glob.split('*').map((text) => text.replace(/[.\\+?^${}()|[\]]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 'is')
}

/** Mulberry32: numbers from 0 up to 1, the same ones for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
