import { azureTime } from './azure-time.ts'
import { completionPercent, GIB, liveGrant, type DiskSnapshot, type ManagedDisk } from './disk-model.ts'
import { formatResourceId } from './resource-id.ts'
import { VHD_FOOTER_BYTES } from './vhd-footer.ts'

/** Disks and snapshots as the REST API shows them. Undefined properties vanish in JSON. */

export function diskDocument(disk: ManagedDisk, now: Date): Record<string, unknown> {
  const sizeBytes = disk.upload === undefined ? disk.volume.sizeBytes : disk.volume.sizeBytes - VHD_FOOTER_BYTES
  return {
    id: formatResourceId(disk.id),
    name: disk.id.name,
    type: 'Microsoft.Compute/disks',
    location: disk.location,
    tags: disk.tags,
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
      diskState: diskState(disk, now),
      uniqueId: disk.uniqueId,
    },
  }
}

export function snapshotDocument(snapshot: DiskSnapshot, now: Date): Record<string, unknown> {
  const percent = completionPercent(snapshot, now)
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
      diskState: liveGrant(snapshot, now) === undefined ? 'Unattached' : 'ActiveSAS',
      uniqueId: snapshot.uniqueId,
      incremental: snapshot.isIncremental,
      incrementalSnapshotFamilyId: snapshot.familyId,
      completionPercent: percent,
      snapshotAccessState: percent === 100 ? 'Available' : 'Pending',
    },
  }
}

/** The state a disk shows; `ActiveUpload` and `ActiveSAS` say that a SAS is out. */
export function diskState(disk: ManagedDisk, now: Date): string {
  if (disk.upload === 'pending') return 'ReadyToUpload'
  if (disk.upload === 'open') return 'ActiveUpload'
  return liveGrant(disk, now) === undefined ? 'Unattached' : 'ActiveSAS'
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
  return { diskSizeBytes: sizeBytes, diskSizeGB: Math.ceil(sizeBytes / GIB) }
}

function skuDocument(name: string): { name: string; tier: string } {
  return { name, tier: name.split('_')[0] ?? name }
}
