import { guidOf } from '../identity/guid.ts'
import { GIB, type DiskRestorePoint, type DiskSnapshot, type ManagedDisk } from './disk-model.ts'

/** Incremental snapshots of one disk are a family: only between two of them is there a diff. */

/** Disks below this size and disks of it or more lie differently; a diff across is not answered (4 TB boundary). */
const LARGE_DISK_BYTES = 4096 * GIB

/** `incrementalSnapshotFamilyId`: one for each disk, by its uniqueId. A UUID. */
export function familyIdOf(disk: ManagedDisk): string {
  return guidOf(`family/${disk.uniqueId}`)
}

/** The family that `CopyStart` copies of another family form in one place. */
export function copiedFamilyIdOf(
  familyId: string,
  place: { readonly subscriptionId: string; readonly region: string },
): string {
  return guidOf(`family/${familyId}/${place.subscriptionId.toLowerCase()}/${place.region}`)
}

/** The family of the restore points of one disk. It is not that of its snapshots: no diff is known between the two. */
export function restorePointFamilyIdOf(disk: ManagedDisk): string {
  return guidOf(`restore-points/${disk.uniqueId}`)
}

export function newestOf(snapshots: readonly DiskSnapshot[]): DiskSnapshot | undefined {
  return snapshots.reduce<DiskSnapshot | undefined>(
    (latest, snapshot) => (latest === undefined || snapshot.timeCreated > latest.timeCreated ? snapshot : latest),
    undefined,
  )
}

/**
 * The group within which the blob service answers a diff: the family, cut at the 4 TB boundary. ARM shows one family
 * id on both sides of it (whether Azure does is not documented), so a client has to look at the sizes.
 */
export function diffGroupOf(point: DiskSnapshot | DiskRestorePoint): string | undefined {
  if (point.familyId === undefined) return undefined
  return point.content.sizeBytes >= LARGE_DISK_BYTES ? `${point.familyId}/large` : point.familyId
}
