import { azureTime } from './azure-time.ts'
import { completionPercent, snapshotAccessState } from './background-copy.ts'
import type { ComputeState } from './compute-state.ts'
import { liveGrant, shownGib, type DiskSnapshot, type ManagedDisk } from './disk-model.ts'
import { formatResourceId } from './resource-id.ts'
import { VHD_FOOTER_BYTES } from './vhd-footer.ts'

/** Disks and snapshots as the REST API shows them. Undefined properties vanish in JSON. */

export function diskDocument(state: ComputeState, disk: ManagedDisk): Record<string, unknown> {
  const sizeBytes = disk.upload === undefined ? disk.volume.sizeBytes : disk.volume.sizeBytes - VHD_FOOTER_BYTES
  return {
    id: formatResourceId(disk.id),
    name: disk.id.name,
    type: 'Microsoft.Compute/disks',
    location: disk.location,
    tags: disk.tags,
    managedBy: disk.attachedTo === undefined ? undefined : formatResourceId(disk.attachedTo),
    sku: skuDocument(disk.sku),
    zones: disk.zones,
    properties: {
      ...disk.inherited,
      ...disk.performance,
      ...accessDocument(disk.access),
      creationData: creationDataDocument(disk),
      ...sizeDocument(sizeBytes),
      timeCreated: azureTime(disk.timeCreated),
      provisioningState: disk.provisioningState,
      diskState: diskState(state, disk),
      uniqueId: disk.uniqueId,
    },
  }
}

export function snapshotDocument(state: ComputeState, snapshot: DiskSnapshot): Record<string, unknown> {
  const { copyFailure } = snapshot
  return {
    id: formatResourceId(snapshot.id),
    name: snapshot.id.name,
    type: 'Microsoft.Compute/snapshots',
    location: snapshot.location,
    tags: snapshot.tags,
    sku: skuDocument(snapshot.sku),
    properties: {
      ...snapshot.inherited,
      ...accessDocument(snapshot.access),
      creationData: creationDataDocument(snapshot),
      ...sizeDocument(snapshot.content.sizeBytes),
      timeCreated: azureTime(snapshot.timeCreated),
      provisioningState: snapshot.provisioningState,
      diskState: liveGrant(snapshot, state.clock()) === undefined ? 'Unattached' : 'ActiveSAS',
      uniqueId: snapshot.uniqueId,
      incremental: snapshot.isIncremental,
      incrementalSnapshotFamilyId: snapshot.familyId,
      completionPercent: completionPercent(state, snapshot),
      copyCompletionError:
        copyFailure === undefined
          ? undefined
          : { errorCode: 'CopySourceNotFound', errorMessage: copyFailure.message },
      snapshotAccessState: snapshotAccessState(state, snapshot),
    },
  }
}

/** `ActiveUpload` and `ActiveSAS` say that a SAS is out, `Attached` that a virtual machine runs with the disk. */
function diskState(state: ComputeState, disk: ManagedDisk): string {
  if (disk.upload === 'pending') return 'ReadyToUpload'
  if (disk.upload === 'open') return 'ActiveUpload'
  if (liveGrant(disk, state.clock()) !== undefined) return 'ActiveSAS'
  if (disk.attachedTo === undefined) return 'Unattached'
  return state.virtualMachines.get(disk.attachedTo)?.isRunning === true ? 'Attached' : 'Reserved'
}

function creationDataDocument(resource: ManagedDisk | DiskSnapshot): Record<string, unknown> {
  const { logicalSectorSize, ...creationData } = resource.creationData
  const showsSectorSize = logicalSectorSize !== undefined || resource.sectorSizeBytes !== 512
  return showsSectorSize ? { ...creationData, logicalSectorSize: resource.sectorSizeBytes } : creationData
}

function accessDocument(access: ManagedDisk['access']): Record<string, unknown> {
  return {
    ...access,
    networkAccessPolicy: access.networkAccessPolicy ?? 'AllowAll',
    publicNetworkAccess: access.publicNetworkAccess ?? 'Enabled',
  }
}

function sizeDocument(sizeBytes: number): { diskSizeBytes: number; diskSizeGB: number } {
  return { diskSizeBytes: sizeBytes, diskSizeGB: shownGib(sizeBytes) }
}

function skuDocument(name: string): { name: string; tier: string } {
  return { name, tier: name.split('_')[0] ?? name }
}
