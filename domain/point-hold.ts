/**
 * The hold on a recovery point that is being restored: retention passes it over. It is renewed while the restore goes on and lapses by
 * itself, so that one that was terminated keeps nothing for long. Pure.
 */

/** A restore that waits for a worker renews nothing. */
export const HOLD_LASTS_MS = 6 * 3_600_000
export const HOLD_RENEWED_EVERY_MS = 3_600_000

export interface FoundHold {
  readonly name: string
  readonly pointId: string
  /** By the clock of Azure; absent: it did not say. */
  readonly renewedAt: Date | undefined
}

export function hasLapsed({ renewedAt }: FoundHold, nowMs: number): boolean {
  return renewedAt !== undefined && nowMs - renewedAt.getTime() > HOLD_LASTS_MS
}

/** Ids of the points that are held. */
export function heldPoints(holds: readonly FoundHold[], nowMs: number): Set<string> {
  return new Set(holds.filter((hold) => !hasLapsed(hold, nowMs)).map(({ pointId }) => pointId))
}
