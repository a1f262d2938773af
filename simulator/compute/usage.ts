import type { FrozenVolume } from '../store/volume.ts'
import type { ComputeState } from './compute-state.ts'
import { GIB, type DiskSnapshot } from './disk-model.ts'
import { formatResourceId } from './resource-id.ts'
import { VHDX_HEAD_BYTES } from './vhdx-head.ts'

/**
 * What snapshots are billed for. An incremental one is billed for its used size only: what was written since the newest
 * older one of its family that still exists. The daily report shows the used GiB divided by the days of the month
 * (MicrosoftDocs/azure-compute-docs, disks-incremental-snapshots.md). A full one is billed for all it holds. One of
 * 4,096-byte sectors is a VHDX, so an empty one has 6 MiB where others have nothing.
 */

export interface SnapshotUsage {
  readonly id: string
  readonly sku: string
  readonly isIncremental: boolean
  readonly usedBytes: number
  /** GiB, as the usage report of one day of the present month shows. */
  readonly dailyQuantity: number
  /** Moved between regions to make it, when it is a copy by `CopyStart`. */
  readonly movedBytes: number | undefined
}

/** Of every snapshot, by id. */
export function snapshotUsage(state: ComputeState): SnapshotUsage[] {
  const now = state.clock()
  const daysInMonth = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 0)).getUTCDate()
  const snapshots = [...state.snapshots.all()].sort((one, other) => Number(one.timeCreated) - Number(other.timeCreated))
  const newestOfFamily = new Map<string, DiskSnapshot>()
  const usage = snapshots.map((snapshot) => {
    const older = snapshot.familyId === undefined ? undefined : newestOfFamily.get(snapshot.familyId)
    if (snapshot.familyId !== undefined) newestOfFamily.set(snapshot.familyId, snapshot)
    const headBytes = snapshot.sectorSizeBytes === 4096 ? VHDX_HEAD_BYTES : 0
    const usedBytes = headBytes + writtenBytes(snapshot.content, older?.content)
    return {
      id: formatResourceId(snapshot.id),
      sku: snapshot.sku,
      isIncremental: snapshot.isIncremental,
      usedBytes,
      dailyQuantity: usedBytes / GIB / daysInMonth,
      movedBytes: snapshot.copiedFrom?.movedBytes,
    }
  })
  return usage.sort((one, other) => (one.id < other.id ? -1 : 1))
}

/** What was written since `older`, pages written again with equal bytes included; all that is allocated without it. */
export function writtenBytes(content: FrozenVolume, older: FrozenVolume | undefined): number {
  if (older === undefined) return content.allocatedBytes()
  let bytes = 0
  for (const span of content.diffSince(older)) {
    if (!span.isClear) bytes += span.endBytes + 1 - span.startBytes
  }
  return bytes
}
