import type { Publication } from '../blob-service/published-blob.ts'
import type { FrozenVolume, Volume } from '../store/volume.ts'
import type { AccessProperties, CreationData, InheritedProperties, PerformanceProperties } from './request-bodies.ts'
import type { ResourceId } from './resource-id.ts'

/** What the compute service holds of a managed disk and of a snapshot. `*-document.ts` shows it as ARM does. */

export type SectorSizeBytes = 512 | 4096

/** A SAS that is out. It ends by `endGetAccess` or by its own expiry. */
export interface AccessGrant {
  readonly access: 'Read' | 'Write'
  readonly publication: Publication
}

interface ManagedResource {
  readonly id: ResourceId
  /** Tells a re-created resource of the same name from the first one. A UUID. */
  readonly uniqueId: string
  readonly location: string
  readonly timeCreated: Date
  readonly creationData: CreationData & { readonly sourceUniqueId?: string | undefined }
  readonly sectorSizeBytes: SectorSizeBytes
  provisioningState: 'Creating' | 'Updating' | 'Succeeded'
  sku: string
  tags: Readonly<Record<string, string>>
  inherited: InheritedProperties
  access: AccessProperties
  grant: AccessGrant | undefined
}

/** The volume is the disk's content; while an upload is open it is content and footer. */
export interface ManagedDisk extends ManagedResource {
  readonly kind: 'disk'
  readonly volume: Volume
  readonly zones: readonly string[] | undefined
  performance: PerformanceProperties
  /** `pending` until the first write access, `open` until endGetAccess; undefined for a disk that can be used. */
  upload: 'pending' | 'open' | undefined
}

export interface DiskSnapshot extends ManagedResource {
  readonly kind: 'snapshot'
  readonly content: FrozenVolume
  readonly isIncremental: boolean
  /** Shared by all incremental snapshots of one disk. */
  readonly familyId: string | undefined
  /** When the background copy of an Ultra or Premium SSD v2 snapshot ends; equal to `timeCreated` for other disks. */
  readonly completeAt: Date
}

export type ExportableResource = ManagedDisk | DiskSnapshot

export const GIB = 1024 ** 3
export const MIB = 1024 ** 2

/** The SKUs whose sectors are 4,096 bytes by default and whose snapshots are copied in the background. */
export function isBackgroundCopied(diskSku: string): boolean {
  return diskSku === 'UltraSSD_LRS' || diskSku === 'PremiumV2_LRS'
}

/** The grant that still gives access; undefined also for one that ran out. */
export function liveGrant(resource: ExportableResource, now: Date): AccessGrant | undefined {
  return resource.grant !== undefined && resource.grant.publication.expiresAt > now ? resource.grant : undefined
}

/** Rounded down to a whole percent; 100 only when the copy has ended. */
export function completionPercent(snapshot: DiskSnapshot, now: Date): number {
  const wholeMs = snapshot.completeAt.getTime() - snapshot.timeCreated.getTime()
  if (now >= snapshot.completeAt || wholeMs === 0) return 100
  return Math.floor((100 * (now.getTime() - snapshot.timeCreated.getTime())) / wholeMs)
}
