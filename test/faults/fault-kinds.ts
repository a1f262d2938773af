/** What can go wrong with one call, as rules of the local Azure's fault plan. */
import type { FaultRuleSpec } from '../../simulator/faults/fault-rule.ts'

export interface FaultKind {
  readonly name: string
  readonly effect: FaultRuleSpec['effect']
  /** Only calls of these operations can be hit; default: all calls of both services. */
  readonly operation?: readonly string[]
  /** A run has to get over it; of the others it may fail, by name and with all older points intact. */
  readonly passes: boolean
  /** Strikes every call of its operation, not one. */
  readonly isLasting?: boolean
}

/** Of which a flipped byte is the copy's: what a read or a list answers is the reader's trouble alone. */
const COPIES = ['PutPageFromUrl', 'PutPage']

function status(code: number, passes: boolean, retryAfterSeconds?: number): FaultKind {
  return { name: String(code), effect: { kind: 'status', status: code, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) }, passes }
}

/** Each strikes one call, once. */
export const PASSING: readonly FaultKind[] = [
  { name: 'timeout before the work', effect: { kind: 'reset', when: 'before' }, passes: true },
  { name: 'reset after the work', effect: { kind: 'reset', when: 'after' }, passes: true },
  status(403, false),
  status(404, false),
  status(409, false),
  status(412, false),
  status(429, true, 1),
  status(500, true),
  status(503, true),
  { name: 'cut body', effect: { kind: 'cutBody', afterBytes: 20 }, passes: true },
  { name: 'flipped byte in the copy', effect: { kind: 'flipByte', atBytes: 300 }, operation: COPIES, passes: true },
  { name: 'slow', effect: { kind: 'delay', when: 'after', delayMs: 200 }, passes: true },
]

/** Each strikes every call of one operation, for as long as the run goes on. */
export const LASTING: readonly FaultKind[] = [403, 404, 409, 412].map((code) => ({ ...status(code, false), isLasting: true }))
