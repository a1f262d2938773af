/** What of a target a restore or an export reads, and where a restore writes it. Plain data; travels through Temporal. */
import { FencedBlob } from '../azure/fenced-blob.ts'
import type { DigestTableRef } from '../domain/digest-table.ts'
import { isCopied, pointBlobsOf, type AnyManifest, type PointBlob } from '../domain/manifest.ts'
import { blobBytesOf } from '../domain/source-disk.ts'
import { ONE_STRIPE, type Striping } from '../domain/stripes.ts'
import type { Engine } from './engine.ts'
import { StripedBlob } from './striped-blob.ts'

/** The content of a recovery point. */
export interface PointContent {
  readonly targetUrl: string
  readonly striping: Striping
  /** The stripes, each with the blob snapshot of the point; without: the base blob itself, while it has `etag`. */
  readonly blobs: readonly (Omit<PointBlob, 'snapshot'> & { readonly snapshot?: string })[]
  /** Instead of blobs: the snapshot that Azure copied, which is read by its export. */
  readonly copy?: { readonly snapshotId: string }
  /** What the first stripe must not lose while the base blob is read: a run changes it before it writes anywhere. */
  readonly etag?: string
  /** The digest table of the point; absent: it has none. */
  readonly digests?: DigestTableRef
  /** Disk and footer. */
  readonly blobBytes: number
}

/** Writing a recovery point into a new disk that waits for its upload. */
export interface RestoreJob extends PointContent {
  readonly toDiskId: string
  /** The blob that keeps retention from the point; absent: what is restored is no point. */
  readonly holdName?: string
}

export function pointContentOf(targetUrl: string, manifest: AnyManifest): PointContent {
  const blobBytes = blobBytesOf(manifest.sizeBytes)
  if (isCopied(manifest)) return { targetUrl, striping: ONE_STRIPE, blobs: [], copy: { snapshotId: manifest.copiedSnapshot.id }, blobBytes }
  const { stripes, digests } = manifest
  const striping = stripes === undefined ? ONE_STRIPE : { count: stripes.blobs.length, unitBytes: stripes.unitBytes }
  const table = digests && { name: digests.name, snapshot: digests.snapshot }
  return { targetUrl, striping, blobs: pointBlobsOf(manifest), ...(table && { digests: table }), blobBytes }
}

export function pointBlobOf({ azure, pageLists }: Pick<Engine, 'azure' | 'pageLists'>, { targetUrl, striping, blobs }: PointContent): StripedBlob {
  const stripes = blobs.map(({ name }) => new FencedBlob(azure, targetUrl, name))
  const snapshots = blobs.flatMap(({ snapshot, sizeBytes }) => (snapshot === undefined ? [] : [{ snapshot, sizeBytes }]))
  return new StripedBlob(pageLists, striping, stripes, snapshots.length === blobs.length ? snapshots : undefined)
}
