/** Facts of the source side that plans, manifests and restores are made from. Plain data: it travels through Temporal. */
import type { DiskAttachment } from './attachment.ts'


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
  /** `AzureActiveDirectory`: its data is given to identities only that may have it; a SAS alone is not enough. */
  readonly dataAccessAuthMode?: string
  readonly performance?: DiskPerformance
  /** The key of a customer, by its encryption set; absent: a key of the platform. */
  readonly encryption?: DiskEncryption
  /** Azure Disk Encryption: where the keys lie that the operating system encrypted the disk with. */
  readonly encryptionSettingsCollection?: GuestEncryption
  readonly tags?: Readonly<Record<string, string>>
}

/** Beyond what comes with SKU and size. Names of the compute API. */
export interface DiskPerformance {
  /** Of Premium SSD. */
  readonly tier?: string
  /** The next four of Ultra Disk and Premium SSD v2. */
  readonly diskIopsReadWrite?: number
  readonly diskMBpsReadWrite?: number
  readonly diskIopsReadOnly?: number
  readonly diskMBpsReadOnly?: number
  /** Machines that may have it attached at once. */
  readonly maxShares?: number
  readonly burstingEnabled?: boolean
}

export interface DiskEncryption {
  readonly type?: string
  readonly diskEncryptionSetId: string
}

interface KeyVault {
  readonly id?: string
}

/** Names of the compute API. */
export interface GuestEncryption {
  readonly enabled: boolean
  readonly encryptionSettings?: readonly {
    readonly diskEncryptionKey?: { readonly sourceVault: KeyVault; readonly secretUrl: string }
    readonly keyEncryptionKey?: { readonly sourceVault: KeyVault; readonly keyUrl: string }
  }[]
  readonly encryptionSettingsVersion?: string
}

/** From where the data of a disk may be had. Names of the compute API. */
export interface NetworkAccess {
  readonly networkAccessPolicy?: string
  readonly diskAccessId?: string
  readonly publicNetworkAccess?: string
}

/** What a disk can be given once it has its bytes. */
export interface DiskSettings {
  readonly network?: NetworkAccess
  readonly performance?: DiskPerformance
}

export interface SourceDisk {
  readonly id: string
  /** A re-created disk of the same name has another one. */
  readonly uniqueId: string
  readonly name: string
  readonly location: string
  readonly sizeBytes: number
  readonly shape: DiskShape
  /** Absent where everything is as Azure sets it by default. */
  readonly network?: NetworkAccess
  /** The virtual machine that it is attached to, as far as that is known. */
  readonly managedBy?: string
  readonly attachment?: DiskAttachment
  /** To no virtual machine. */
  readonly isUnattached?: true
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

/**
 * What a snapshot takes over of its disk, so that it is no easier to get at. A disk that gives its data to nobody (DenyAll)
 * can be backed up only by a snapshot that does.
 */
export function snapshotAccessOf({ shape, network }: SourceDisk): NetworkAccess & Pick<DiskShape, 'dataAccessAuthMode'> {
  const { dataAccessAuthMode } = shape
  return {
    ...(network?.networkAccessPolicy !== 'DenyAll' && network),
    ...(dataAccessAuthMode !== undefined && { dataAccessAuthMode }),
  }
}

/**
 * What Azure's copy in another region takes over. The private endpoints of the disk are in its own region, so a copy of a disk
 * that is not for every network is for none.
 */
export function copiedSnapshotAccessOf({ shape, network }: SourceDisk): NetworkAccess & Pick<DiskShape, 'dataAccessAuthMode'> {
  const { dataAccessAuthMode } = shape
  return {
    ...(network !== undefined && { networkAccessPolicy: 'DenyAll', publicNetworkAccess: 'Disabled' }),
    ...(dataAccessAuthMode !== undefined && { dataAccessAuthMode }),
  }
}

/** A copy can be held against its source: both can be exported, as VHD. */
export function isReadableCopy({ shape, network }: SourceDisk): boolean {
  return network === undefined && shape.logicalSectorBytes === 512
}

/** Confidential and encrypted as a whole: without the guest state of its machine nobody can read its bytes. */
export function isSealedByGuest(securityType: string | undefined): boolean {
  return securityType !== undefined && /^ConfidentialVM_DiskEncryptedWith/i.test(securityType)
}

/** Length of a disk's VHD export: the content and its 512-byte footer. */
export const VHD_FOOTER_BYTES = 512

export function blobBytesOf(diskSizeBytes: number): number {
  return diskSizeBytes + VHD_FOOTER_BYTES
}
