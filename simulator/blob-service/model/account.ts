import { randomBytes } from 'node:crypto'
import type { Container } from './container.ts'

/** A storage account: what kinds of blobs it takes, its key, and its containers. */

/** `ManagedDisk` is the service's own: the `md-` accounts that exports and uploads of disks are published in. */
export type AccountKind = 'StorageV2' | 'BlobStorage' | 'BlockBlobStorage' | 'FileStorage' | 'ManagedDisk'

export type AccountSku =
  | 'Standard_LRS'
  | 'Standard_GRS'
  | 'Standard_RAGRS'
  | 'Standard_ZRS'
  | 'Standard_GZRS'
  | 'Standard_RAGZRS'
  | 'Premium_LRS'
  | 'Premium_ZRS'

export interface AccountSettings {
  readonly name: string
  readonly kind: AccountKind
  readonly sku: AccountSku
  readonly isHnsEnabled: boolean
  readonly region: string
  /** Base64, 64 bytes. Default: random. */
  readonly key?: string
  /** ARM id, under which rights are asked for. Default: `/storageAccounts/<name>`. */
  readonly resourceId?: string
}

export class Account {
  readonly name: string
  readonly kind: AccountKind
  readonly sku: AccountSku
  readonly isHnsEnabled: boolean
  readonly region: string
  readonly key: Buffer
  readonly resourceId: string
  readonly containers = new Map<string, Container>()

  constructor(settings: AccountSettings) {
    this.name = settings.name
    this.kind = settings.kind
    this.sku = settings.sku
    this.isHnsEnabled = settings.isHnsEnabled
    this.region = settings.region
    this.key = settings.key === undefined ? randomBytes(64) : Buffer.from(settings.key, 'base64')
    this.resourceId = settings.resourceId ?? `/storageAccounts/${settings.name}`
  }

  get isPremium(): boolean {
    return this.sku.startsWith('Premium')
  }

  /** Only standard general-purpose accounts and premium page-blob accounts take page blobs, and none with HNS. */
  get takesPageBlobs(): boolean {
    return (this.kind === 'StorageV2' || this.kind === 'ManagedDisk') && !this.isHnsEnabled
  }

  /** A premium general-purpose account takes page blobs only. */
  get takesBlockBlobs(): boolean {
    return (
      this.kind === 'BlobStorage' || this.kind === 'BlockBlobStorage' || (this.kind === 'StorageV2' && !this.isPremium)
    )
  }

  get hasBlobService(): boolean {
    return this.kind !== 'FileStorage'
  }
}
