/** Translates disks between the compute API's words and ours. Fields that an answer leaves out stay out. */
import type { CreationData, Disk, DiskUpdate } from '@azure/arm-compute'
import { GIB } from '../domain/byte-range.ts'
import { BackupError } from '../domain/failures.ts'
import { blobBytesOf, type DiskEncryption, type DiskSettings, type DiskShape, type NetworkAccess, type SourceDisk } from '../domain/source-disk.ts'
import { isProvisioned, performanceOf } from './disk-performance.ts'
import { withoutUndefined, withoutUndefinedWithin, type Concrete } from './plain.ts'
import type { Tags } from '../domain/tags.ts'

export interface DiskStatus {
  readonly id: string
  readonly uniqueId: string
  readonly sizeBytes: number
  /** `diskState`: Unattached, ReadyToUpload, ActiveUpload, … */
  readonly state: string | undefined
  readonly tags: Tags
  readonly location: string
  readonly provisioningState: string | undefined
}

/** What a restore asks for. */
export interface NewDiskSpec {
  readonly id: string
  readonly location: string
  /** Without the VHD footer. */
  readonly sizeBytes: number
  readonly shape: DiskShape
  /** All that it gets: those of the shape are not asked for. */
  readonly tags: Tags
}

export function sourceDiskOf(id: string, disk: Disk): SourceDisk {
  return {
    id: disk.id ?? id,
    uniqueId: requireField(id, 'uniqueId', disk.uniqueId),
    name: disk.name ?? id.slice(id.lastIndexOf('/') + 1),
    location: requireField(id, 'location', disk.location),
    sizeBytes: diskSizeBytesOf(id, disk),
    shape: shapeOf(disk, diskSizeBytesOf(id, disk)),
    ...networkOf(disk),
    ...(disk.managedBy !== undefined && { managedBy: disk.managedBy }),
    // A shared disk may name its machines in the second field alone.
    ...(disk.managedBy === undefined && !disk.managedByExtended?.length && { isUnattached: true }),
  }
}

export function diskStatusOf(id: string, disk: Disk): DiskStatus {
  return {
    id: disk.id ?? id,
    uniqueId: disk.uniqueId ?? '',
    sizeBytes: disk.diskSizeBytes ?? (disk.diskSizeGB ?? 0) * GIB,
    state: disk.diskState,
    tags: disk.tags ?? {},
    location: disk.location ?? '',
    provisioningState: disk.provisioningState,
  }
}

function shapeOf(disk: Disk, sizeBytes: number): DiskShape {
  return withoutUndefined<DiskShape>({
    sku: disk.sku?.name,
    zones: disk.zones?.length ? disk.zones : undefined,
    osType: disk.osType,
    hyperVGeneration: disk.hyperVGeneration,
    architecture: disk.supportedCapabilities?.architecture,
    securityType: disk.securityProfile?.securityType,
    diskControllerTypes: disk.supportedCapabilities?.diskControllerTypes,
    supportsHibernation: disk.supportsHibernation,
    acceleratedNetwork: disk.supportedCapabilities?.acceleratedNetwork,
    logicalSectorBytes: disk.creationData?.logicalSectorSize ?? defaultSectorBytes(disk.sku?.name),
    purchasePlan: disk.purchasePlan === undefined ? undefined : withoutUndefined(disk.purchasePlan),
    dataAccessAuthMode: otherThan('None', disk.dataAccessAuthMode),
    performance: performanceOf(disk, sizeBytes),
    encryption: encryptionOf(disk.encryption),
    encryptionSettingsCollection: disk.encryptionSettingsCollection?.enabled === true ? withoutUndefinedWithin(disk.encryptionSettingsCollection) : undefined,
    tags: disk.tags,
  })
}

/** A key of the platform, which needs no set, is Azure's default. */
function encryptionOf({ type, diskEncryptionSetId }: NonNullable<Disk['encryption']> = {}): DiskEncryption | undefined {
  return diskEncryptionSetId === undefined ? undefined : withoutUndefined<DiskEncryption>({ type, diskEncryptionSetId })
}

function networkOf({ networkAccessPolicy, diskAccessId, publicNetworkAccess }: Disk): Pick<SourceDisk, 'network'> {
  const network = withoutUndefined<NetworkAccess>({
    networkAccessPolicy: otherThan('AllowAll', networkAccessPolicy),
    diskAccessId,
    publicNetworkAccess: otherThan('Enabled', publicNetworkAccess),
  })
  return Object.keys(network).length === 0 ? {} : { network }
}

/** What is Azure's default is not worth a word. */
function otherThan(byDefault: string, value: string | undefined): string | undefined {
  return value === byDefault ? undefined : value
}

/** Where Azure itself fills a new disk from. */
export type DiskFilling =
  | { readonly kind: 'import'; readonly blobUrl: string; readonly storageAccountId: string }
  | { readonly kind: 'copy'; readonly snapshotId: string }

/** The body of the PATCH that sets what a disk can also be given later. */
export function settingsBody({ network, performance }: DiskSettings): DiskUpdate {
  return { ...network, ...performance }
}

/** The body of the PUT that makes a disk ready for an upload. */
export function uploadDiskBody(spec: NewDiskSpec): Disk {
  const { sizeBytes, shape } = spec
  return diskBody(spec, {
    createOption: 'Upload',
    uploadSizeBytes: blobBytesOf(sizeBytes),
    // Only Ultra and Premium v2 know the field, and only their default is not 512.
    ...(defaultSectorBytes(shape.sku) !== 512 && { logicalSectorSize: shape.logicalSectorBytes }),
  })
}

/** The body of the PUT that makes a disk of a page blob or of a snapshot. */
export function filledDiskBody(spec: NewDiskSpec, filling: DiskFilling): Disk {
  return filling.kind === 'import'
    ? diskBody(spec, { createOption: 'Import', sourceUri: filling.blobUrl, storageAccountId: filling.storageAccountId })
    : diskBody(spec, { createOption: 'Copy', sourceResourceId: filling.snapshotId })
}

function diskBody({ location, shape, tags }: NewDiskSpec, creationData: CreationData): Disk {
  const capabilities = withoutUndefined({
    architecture: shape.architecture,
    diskControllerTypes: shape.diskControllerTypes,
    acceleratedNetwork: shape.acceleratedNetwork,
  })
  return withoutUndefined<Disk>({
    location,
    tags: { ...tags },
    sku: shape.sku === undefined ? undefined : { name: shape.sku },
    zones: shape.zones === undefined ? undefined : [...shape.zones],
    osType: shape.osType as Concrete<Disk['osType']>,
    hyperVGeneration: shape.hyperVGeneration,
    supportsHibernation: shape.supportsHibernation,
    supportedCapabilities: Object.keys(capabilities).length === 0 ? undefined : capabilities,
    securityProfile: shape.securityType === undefined ? undefined : { securityType: shape.securityType },
    purchasePlan: shape.purchasePlan,
    dataAccessAuthMode: shape.dataAccessAuthMode,
    encryption: shape.encryption,
    creationData,
  })
}

/** Ultra and Premium SSD v2 have 4096-byte sectors unless asked otherwise (learn.microsoft.com, disk types). */
function defaultSectorBytes(sku: string | undefined): number {
  return isProvisioned(sku) ? 4096 : 512
}

function diskSizeBytesOf(id: string, disk: Disk): number {
  return requireField(
    id,
    'diskSizeBytes',
    disk.diskSizeBytes ?? (disk.diskSizeGB === undefined ? undefined : disk.diskSizeGB * GIB),
  )
}

export function requireField<T>(id: string, field: string, value: T | null | undefined): T {
  if (value !== undefined && value !== null && value !== '') return value
  throw new BackupError({
    type: 'AzureRefused',
    message: `the answer about ${id} has no ${field}, without which it cannot be backed up`,
    facts: { id, field },
  })
}
