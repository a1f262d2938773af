/** Disks that have had no new recovery point for too long, whatever the reason: the silence that no failed run tells of. Pure. */
import { sameArmId } from './arm-id.ts'
import { diskKeyOf, parseManifestName } from './names.ts'
import { newestFirst, type AnyPoint } from './recovery-point.ts'

export interface StaleDisk {
  /** Absent: none of its manifests can be read. */
  readonly diskId?: string
  readonly diskKey: string
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
    const diskKey = diskKeyOf(diskId)
    if (newest === undefined) return [{ diskId, diskKey }]
    return nowMs - Date.parse(newest.takenAt) > maxAgeMs ? [{ diskId, diskKey, newestAt: newest.takenAt }] : []
  })
}

/** Disks of which nothing but damaged manifests is left, so that only their names tell of them. */
export function unreadableDisks(points: readonly Pick<AnyPoint, 'diskId'>[], damaged: readonly { readonly blobName: string }[]): StaleDisk[] {
  const readable = new Set(points.map(({ diskId }) => diskKeyOf(diskId)))
  const keys = damaged.flatMap(({ blobName }) => parseManifestName(blobName)?.chain.split('/')[1] ?? [])
  return [...new Set(keys)].filter((diskKey) => !readable.has(diskKey)).map((diskKey) => ({ diskKey }))
}

function unique(diskIds: readonly string[]): string[] {
  return [...new Map(diskIds.map((id) => [id.toLowerCase(), id])).values()]
}
