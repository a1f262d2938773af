import type { Publication } from '../blob-service/published-blob.ts'
import type { FrozenVolume, Volume } from '../store/volume.ts'
import type { AccessProperties, CreationData, InheritedProperties, PerformanceProperties } from './request-bodies.ts'
import type { ResourceId } from './resource-id.ts'

/**
 * What the compute service holds of a managed disk, of a snapshot, and of a disk in a restore point of a virtual
 * machine. `*-document.ts` shows them as ARM does.
 */

export type SectorSizeBytes = 512 | 4096

/** A SAS that is out. It ends by `endGetAccess` or by its own expiry. */
export interface AccessGrant {
  readonly access: 'Read' | 'Write'
  readonly publication: Publication
}

interface Exportable {
  readonly id: ResourceId
  /** Tells a re-created resource of the same name from the first one. A UUID. */
  readonly uniqueId: string
  readonly location: string
  readonly timeCreated: Date
  readonly sectorSizeBytes: SectorSizeBytes
  inherited: InheritedProperties
  access: AccessProperties
  grant: AccessGrant | undefined
}

interface ManagedResource extends Exportable {
  readonly creationData: CreationData & { readonly sourceUniqueId?: string | undefined }
  provisioningState: 'Creating' | 'Updating' | 'Succeeded'
  sku: string
  tags: Readonly<Record<string, string>>
}

/** The volume is the disk's content; while an upload is open it is content and footer. */
export interface ManagedDisk extends ManagedResource {
  readonly kind: 'disk'
  readonly volume: Volume
  readonly zones: readonly string[] | undefined
  performance: PerformanceProperties
  /** `pending` until the first write access, `open` until endGetAccess; undefined for a disk that can be used. */
  upload: 'pending' | 'open' | undefined
  /** The virtual machine that has it. */
  attachedTo: ResourceId | undefined
}

/** Content that never changes, and how far it has been copied to where it is kept. */
interface PointInTime extends Exportable {
  readonly content: FrozenVolume
  /** Only within one family is there a diff. Undefined for full snapshots. */
  readonly familyId: string | undefined
  /** When its background copy ends; equal to `timeCreated` for what needs none. */
  readonly completeAt: Date
}

export interface DiskSnapshot extends ManagedResource, PointInTime {
  readonly kind: 'snapshot'
  readonly isIncremental: boolean
  /** Until then disks can be made of it although its background copy runs (`instantAccessDurationMinutes`). */
  readonly instantAccessUntil: Date | undefined
  /** Set for a copy made by `CopyStart`. */
  readonly copiedFrom: CopiedFrom | undefined
  /** Set when its copy ended without success: it stays at this percentage. */
  copyFailure: { readonly percent: number; readonly message: string } | undefined
}

/** The snapshot that a `CopyStart` began at, as it was then. */
export interface CopiedFrom {
  readonly id: ResourceId
  readonly uniqueId: string
  readonly timeCreated: Date
  /** What had to be moved: everything for the first copy into a region, the changes for a later one. */
  readonly movedBytes: number
}

export interface DiskRestorePoint extends PointInTime {
  readonly kind: 'diskRestorePoint'
  readonly sourceDiskId: ResourceId
  readonly sourceUniqueId: string
}

export type ExportableResource = ManagedDisk | DiskSnapshot | DiskRestorePoint

export const GIB = 1024 ** 3
export const MIB = 1024 ** 2

/**
 * The `diskSizeGB` of a disk. The OS disk of a marketplace image is a little larger, for example 136,367,308,800 bytes for 127
 * (learn.microsoft.com/azure/databox-online/azure-stack-edge-create-virtual-machine-marketplace-image).
 */
export function shownGib(sizeBytes: number): number {
  return Math.max(1, Math.floor(sizeBytes / GIB))
}

/** The bytes that a `diskSizeGB` asks for. One that is shown already asks for no change. */
export function askedBytes(sizeGib: number | undefined, presentBytes: number): number {
  return sizeGib === undefined || sizeGib === shownGib(presentBytes) ? presentBytes : sizeGib * GIB
}

/** The SKUs whose sectors are 4,096 bytes by default and whose snapshots are copied in the background. */
export function isBackgroundCopied(diskSku: string): boolean {
  return diskSku === 'UltraSSD_LRS' || diskSku === 'PremiumV2_LRS'
}

/** The grant that still gives access; undefined also for one that ran out. */
export function liveGrant(resource: ExportableResource, now: Date): AccessGrant | undefined {
  return resource.grant !== undefined && resource.grant.publication.expiresAt > now ? resource.grant : undefined
}
