/** What of a target a restore or an export reads, and where a restore writes it. Plain data; travels through Temporal. */
import type { AzureClients } from '../azure/clients.ts'
import { BaseBlob } from '../azure/base-blob.ts'
import type { Manifest } from '../domain/manifest.ts'
import { blobBytesOf } from '../domain/source-disk.ts'

/** The content of a recovery point. */
export interface PointContent {
  readonly targetUrl: string
  readonly baseBlobName: string
  /** The blob snapshot of the point; absent: the base blob itself, while it has `etag`. */
  readonly blobSnapshot?: string
  /** What the base blob must not lose while it is read. */
  readonly etag?: string
  /** Disk and footer. */
  readonly blobBytes: number
}

/** Writing a recovery point into a new disk that waits for its upload. */
export interface RestoreJob extends PointContent {
  readonly toDiskId: string
}

export function pointContentOf(targetUrl: string, manifest: Manifest): PointContent {
  const { name, snapshot } = manifest.baseBlob
  return { targetUrl, baseBlobName: name, blobSnapshot: snapshot, blobBytes: blobBytesOf(manifest.sizeBytes) }
}

export function pointBlobOf(azure: AzureClients, point: PointContent): BaseBlob {
  return new BaseBlob(azure, point.targetUrl, point.baseBlobName)
}
