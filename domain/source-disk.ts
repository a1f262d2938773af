/** Facts of the source side that plans, manifests and restores are made from. Plain data: it travels through Temporal. */

/** What a disk needs besides its bytes to become the same disk again. */
export interface DiskShape {
  readonly sku?: string
  readonly zones?: readonly string[]
  readonly osType?: string
  readonly hyperVGeneration?: string
  readonly architecture?: string
  readonly securityType?: string
  readonly diskControllerTypes?: string
  readonly supportsHibernation?: boolean
  readonly acceleratedNetwork?: boolean
  readonly logicalSectorBytes: number
  readonly purchasePlan?: { readonly name: string; readonly publisher: string; readonly product: string; readonly promotionCode?: string }
  readonly tags?: Readonly<Record<string, string>>
}

export interface SourceDisk {
  readonly id: string
  /** A re-created disk of the same name has another one. */
  readonly uniqueId: string
  readonly name: string
  readonly location: string
  readonly sizeBytes: number
  readonly shape: DiskShape
}

export interface SourceSnapshot {
  readonly id: string
  readonly uniqueId: string
  /** A diff exists only between snapshots of one family. */
  readonly familyId?: string
  readonly sourceUniqueId?: string
  readonly sizeBytes: number
  /** `timeCreated`: the instant whose content the snapshot holds. */
  readonly takenAt: string
}

/** Length of a disk's VHD export: the content and its 512-byte footer. */
export const VHD_FOOTER_BYTES = 512

export function blobBytesOf(diskSizeBytes: number): number {
  return diskSizeBytes + VHD_FOOTER_BYTES
}
