/** Steps of histories that are written by hand. */
import type { BackUp, DiskChange, Fault, Step } from './history.ts'

/** Random data at the start of the disk, other bytes and places for each seed. */
export function change(seed: number): Step {
  return { do: 'change', changes: [write(seed), { ...write(seed + 1), place: 700 }] }
}

/** Enough stretches apart for more requests than are in flight at a time. */
export const scattered: Step = {
  do: 'change',
  changes: Array.from({ length: 14 }, (_, index) => ({ kind: 'write', area: 0, place: index * 70, pages: 8, seed: index })),
}

export function write(seed: number): DiskChange {
  return { kind: 'write', area: 0, place: (seed * 37) % 500, pages: 40, seed }
}

export const clear: Step = { do: 'change', changes: [{ kind: 'clear', area: 0, place: 0, pages: 10_000, seed: 0 }] }

export function backUp(of: Partial<BackUp> = {}): BackUp {
  return { do: 'backUp', target: 0, keepLast: 8, sample: 16, fault: undefined, during: [], repeats: undefined, ...of }
}

export function fault(outcome: Fault['outcome'], atCall: number, isCarriedOut = true): Fault {
  return { atCall, isCarriedOut, outcome }
}

export function faultInTransfer(outcome: Fault['outcome'], atCopy: number): Fault {
  return { ...fault(outcome, atCopy), operation: 'PutPageFromUrl' }
}
