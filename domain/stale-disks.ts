/** Disks that have had no new recovery point for too long, whatever the reason: the silence that no failed run tells of. Pure. */
import { sameArmId } from './arm-id.ts'
import { newestFirst, type AnyPoint } from './recovery-point.ts'

export interface StaleDisk {
  readonly diskId: string
  /** ISO instant that its newest point holds; absent: it has none. */
  readonly newestAt?: string
}

/**
 * Suspect points do not count: they are not what a restore takes.
 *
 * @param diskIds those that must have points; undefined: those that have some.
 */
export function staleDisks(
  points: readonly Pick<AnyPoint, 'id' | 'diskId' | 'takenAt' | 'suspect'>[],
  diskIds: readonly string[] | undefined,
  { maxAgeMs, nowMs }: { readonly maxAgeMs: number; readonly nowMs: number },
): StaleDisk[] {
  const right = newestFirst(points.filter(({ suspect }) => suspect === undefined))
  return unique(diskIds ?? points.map(({ diskId }) => diskId)).flatMap((diskId) => {
    const newest = right.find((point) => sameArmId(point.diskId, diskId))
    if (newest === undefined) return [{ diskId }]
    return nowMs - Date.parse(newest.takenAt) > maxAgeMs ? [{ diskId, newestAt: newest.takenAt }] : []
  })
}

function unique(diskIds: readonly string[]): string[] {
  return [...new Map(diskIds.map((id) => [id.toLowerCase(), id])).values()]
}
