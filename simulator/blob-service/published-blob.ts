import type { FrozenVolume, Volume } from '../store/volume.ts'

/**
 * The seam between the compute service and the blob service: a disk or snapshot with a SAS out is
 * published as a page blob of an `md-` account until it is withdrawn.
 */

/** What the bearer of the token must be allowed to do: a data action of RBAC on an ARM id. */
export interface DataRight {
  readonly action: string
  readonly scope: string
}

/** What stands before the content of an export. Where no part lies it is zero. */
export interface ExportHead {
  readonly sizeBytes: number
  readonly parts: readonly { readonly offsetBytes: number; readonly bytes: Buffer }[]
}

/** Readable export of a disk or snapshot: head, content and footer. A VHD has no head, a VHDX no footer. */
export interface PublishedExport {
  readonly kind: 'export'
  /** As the disk holds it. */
  readonly content: FrozenVolume
  /** Default: none. Its pages are pages of the blob, but no diff ever reports them. */
  readonly head?: ExportHead | undefined
  /** Whole pages behind the content, if any. They are pages of the blob, but no diff ever reports them. */
  readonly footer: Buffer
  /** A diff is answered only between exports of one family; else 409 PreviousSnapshotOperationNotSupported. */
  readonly familyId: string | undefined
  readonly uniqueId: string
  readonly createdAt: Date
  /** `AllowPrivate`: server-side copy from it is refused (409 CopySourceCannotBeIncrementalCopyBlob); Get Blob works. */
  readonly isPrivate: boolean
  /** Entra-protected: the SAS alone is not enough, a bearer token for https://disk.azure.com/ must stand beside it. */
  readonly needsBearer: boolean
  /** Default: any token for the audience will do. */
  readonly dataRight?: DataRight | undefined
}

/** Write access to a disk that is being uploaded. */
export interface PublishedUpload {
  readonly kind: 'upload'
  /** Content and footer: uploadSizeBytes long. */
  readonly volume: Volume
  readonly uniqueId: string
  readonly needsBearer: boolean
  readonly dataRight?: DataRight | undefined
}

export interface Publication {
  /** Finds it again after a restart. */
  readonly id: string
  /** Full SAS URL; valid until `expiresAt` or `withdraw`. */
  readonly sasUrl: string
  /** Sooner than asked for when a fault ended the access. */
  readonly expiresAt: Date
  /** Ends the access; later calls with the SAS get 403 AuthenticationFailed. Twice is fine. */
  withdraw(): void
}

/** What the compute service needs of the blob service. */
export interface BlobPublisher {
  publish(blob: PublishedExport | PublishedUpload, durationSeconds: number): Publication
  /** By its id; undefined when it was withdrawn or has run out. For a part of the journal that applies an entry. */
  find(id: string): Publication | undefined
}
