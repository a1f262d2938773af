import { guidOf } from '../identity/guid.ts'
import { GIB, type DiskSnapshot, type ManagedDisk } from './disk-model.ts'

/** Incremental snapshots of one disk are a family: only between two of them is there a diff. */

/** Disks below this size and disks of it or more lie differently; a diff across is not answered (4 TB boundary). */
const LARGE_DISK_BYTES = 4096 * GIB

/** `incrementalSnapshotFamilyId`: one for each disk, by its uniqueId. A UUID. */
export function familyIdOf(disk: ManagedDisk): string {
  return guidOf(`family/${disk.uniqueId}`)
}

/**
 * The group within which the blob service answers a diff: the family, cut at the 4 TB boundary. ARM shows one family
 * id on both sides of it (whether Azure does is not documented), so a client has to look at the sizes.
 */
export function diffGroupOf(snapshot: DiskSnapshot): string | undefined {
  if (snapshot.familyId === undefined) return undefined
  return snapshot.content.sizeBytes >= LARGE_DISK_BYTES ? `${snapshot.familyId}/large` : snapshot.familyId
}
