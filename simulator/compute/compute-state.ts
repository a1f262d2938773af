import type { BlobPublisher } from '../blob-service/published-blob.ts'
import type { Volume } from '../store/volume.ts'
import type { AsyncOperations } from './async-operations.ts'
import type { DiskSnapshot, ExportableResource, ManagedDisk } from './disk-model.ts'
import type { ResourceGroups } from './resource-groups.ts'
import type { ResourceId } from './resource-id.ts'
import type { ResourceTable } from './resource-table.ts'
import type { RoleTable } from './roles.ts'
import type { ComputeSettings } from './settings.ts'
import type { SnapshotLog } from './snapshot-limits.ts'

/** Everything that the operations of the compute service work on. All of it lives in memory, bytes in the store. */
export interface ComputeState {
  readonly createVolume: (sizeBytes: number) => Volume
  readonly publisher: BlobPublisher
  readonly clock: () => Date
  /** A creation time: now, and later than any given out before, so that snapshots are never of the same instant. */
  readonly nextInstant: () => Date
  readonly settings: () => ComputeSettings
  readonly roles: RoleTable
  readonly groups: ResourceGroups
  readonly disks: ResourceTable<ManagedDisk>
  readonly snapshots: ResourceTable<DiskSnapshot>
  readonly snapshotLog: SnapshotLog
  readonly operations: AsyncOperations
}

export function findExportable(state: ComputeState, id: ResourceId): ExportableResource | undefined {
  return id.type === 'disks' ? state.disks.get(id) : state.snapshots.get(id)
}

/** See `ComputeState.nextInstant`. */
export function createInstantSource(clock: () => Date): () => Date {
  let lastMs = 0
  return () => {
    lastMs = Math.max(clock().getTime(), lastMs + 1)
    return new Date(lastMs)
  }
}
