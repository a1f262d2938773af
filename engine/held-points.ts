/** What holds mean to retention: which points of a chain restores read at this time, and which holds have outlived their restore. */
import { endHold, listHolds } from '../azure/point-holds.ts'
import { hasLapsed, heldPoints } from '../domain/point-hold.ts'
import type { Engine } from './engine.ts'

export interface HeldPointsOptions {
  readonly targetUrl: string
  readonly chain: string
  readonly nowMs?: number
  readonly signal?: AbortSignal | undefined
}

/** @returns those of the points that nobody restores. Asks the target only where there are any. */
export async function withoutHeld<Point extends { readonly id: string }>(
  { azure }: Engine,
  points: readonly Point[],
  { targetUrl, chain, nowMs = Date.now(), signal }: HeldPointsOptions,
): Promise<Point[]> {
  if (points.length === 0) return []
  const held = heldPoints(await listHolds(azure, targetUrl, chain, signal), nowMs)
  return points.filter(({ id }) => !held.has(id))
}

/** Deletes what restores that were terminated have left. Safe to run twice. */
export async function pruneHolds({ azure }: Engine, { targetUrl, chain, nowMs = Date.now(), signal }: HeldPointsOptions): Promise<void> {
  for (const hold of await listHolds(azure, targetUrl, chain, signal)) {
    if (hasLapsed(hold, nowMs)) await endHold(azure, targetUrl, hold.name, signal)
  }
}
