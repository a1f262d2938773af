import type { BlobPublisher } from '../blob-service/published-blob.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import type { Volume } from '../store/volume.ts'
import type { AsyncOperations } from './async-operations.ts'
import type { ExportableResource } from './disk-model.ts'
import type { ResourceTables } from './kept/resource-tables.ts'
import type { ResourceGroups } from './resource-groups.ts'
import { DISK_RESTORE_POINT_TYPE, type ResourceId } from './resource-id.ts'
import type { RoleTable } from './roles.ts'
import type { ComputeSettings } from './settings.ts'
import type { SnapshotLog } from './snapshot-limits.ts'
import type { StorageDirectory } from './storage-directory.ts'

/** Everything that the operations of the compute service work on. It lives in memory, bytes in the store. */
export interface ComputeState extends ResourceTables {
  readonly createVolume: (sizeBytes: number) => Volume
  readonly publisher: BlobPublisher
  readonly storage: StorageDirectory
  readonly clock: () => Date
  /** A creation time: now, and later than any given out before, so that snapshots are never of the same instant. */
  readonly nextInstant: () => Date
  readonly settings: () => ComputeSettings
  readonly roles: RoleTable
  readonly faults: FaultPlan
  readonly groups: ResourceGroups
  /** By disk. */
  readonly snapshotLog: SnapshotLog
  /** By virtual machine. */
  readonly restorePointLog: SnapshotLog
  readonly operations: AsyncOperations
}

/** What can be exported and copied from: a disk, a snapshot, a disk of a restore point. */
export function findExportable(state: ComputeState, id: ResourceId): ExportableResource | undefined {
  switch (id.type) {
    case 'disks':
      return state.disks.get(id)
    case 'snapshots':
      return state.snapshots.get(id)
    case DISK_RESTORE_POINT_TYPE:
      return state.diskRestorePoints.get(id)
    default:
      return undefined
  }
}

/** See `ComputeState.nextInstant`. */
export function createInstantSource(clock: () => Date): () => Date {
  let lastMs = 0
  return () => {
    lastMs = Math.max(clock().getTime(), lastMs + 1)
    return new Date(lastMs)
  }
}
