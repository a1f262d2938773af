import { azureTime } from './azure-time.ts'
import { completionPercent } from './background-copy.ts'
import type { ComputeState } from './compute-state.ts'
import type { DiskRestorePoint } from './disk-model.ts'
import { formatResourceId, lookupKey, ownName, type ResourceId } from './resource-id.ts'
import type { RestorePoint, RestorePointCollection } from './restore-point-model.ts'
import { diskRestorePointsOf, restorePointsOf } from './restore-points.ts'
import { storageProfileDocument } from './virtual-machine-document.ts'

/** Restore points as the REST API shows them. Undefined properties vanish in JSON. */

export function collectionDocument(
  state: ComputeState,
  collection: RestorePointCollection,
  withPoints = false,
): Record<string, unknown> {
  const points = withPoints ? restorePointsOf(state, collection) : undefined
  return {
    ...headOf(collection.id),
    location: collection.location,
    tags: collection.tags,
    properties: {
      source: { id: formatResourceId(collection.vmId), location: collection.location },
      provisioningState: 'Succeeded',
      restorePointCollectionId: collection.uniqueId,
      restorePoints: points?.map((point) => restorePointDocument(state, point)),
    },
  }
}

export function restorePointDocument(
  state: ComputeState,
  restorePoint: RestorePoint,
  withInstanceView = false,
): Record<string, unknown> {
  const { source, diskRestorePoints, consistencyMode } = restorePoint
  const storageProfile = storageProfileDocument(state, source, ({ diskId }) => {
    const id = diskRestorePoints[lookupKey(diskId)]
    return { diskRestorePoint: id === undefined ? undefined : { id: formatResourceId(id) } }
  })
  return {
    ...headOf(restorePoint.id),
    properties: {
      consistencyMode,
      excludeDisks: restorePoint.excludedDiskIds.map((id) => ({ id })),
      sourceMetadata: { ...source.properties, storageProfile, vmId: source.uniqueId, location: source.location },
      provisioningState: 'Succeeded',
      timeCreated: azureTime(restorePoint.timeCreated),
      instanceView: withInstanceView ? instanceView(state, restorePoint) : undefined,
    },
  }
}

export function diskRestorePointDocument(state: ComputeState, point: DiskRestorePoint): Record<string, unknown> {
  return {
    ...headOf(point.id),
    properties: {
      ...point.inherited,
      ...point.access,
      timeCreated: azureTime(point.timeCreated),
      sourceResourceId: formatResourceId(point.sourceDiskId),
      sourceUniqueId: point.sourceUniqueId,
      sourceResourceLocation: point.location,
      familyId: point.familyId,
      completionPercent: completionPercent(state, point),
      logicalSectorSize: point.sectorSizeBytes,
    },
  }
}

function instanceView(state: ComputeState, restorePoint: RestorePoint): Record<string, unknown> {
  return {
    diskRestorePoints: diskRestorePointsOf(state, restorePoint).map((point) => ({
      id: formatResourceId(point.id),
      snapshotAccessState: 'Available',
    })),
  }
}

function headOf(id: ResourceId): { id: string; name: string; type: string } {
  return { id: formatResourceId(id), name: ownName(id), type: `Microsoft.Compute/${id.type}` }
}
