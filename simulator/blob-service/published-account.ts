import { randomUUID } from 'node:crypto'
import { Account } from './model/account.ts'
import { Blob, type BlobState } from './model/blob.ts'
import { Container } from './model/container.ts'
import { ExportPages } from './model/export-pages.ts'
import type { PublishedExport, PublishedUpload } from './published-blob.ts'
import { formatSnapshotTime, type ServiceClock } from './service-clock.ts'

/** The names under which a disk or snapshot is published. */
export interface PublishedPath {
  readonly account: string
  readonly container: string
  readonly blob: string
}

/** `snapshot` in the URL of an export; an upload is a base blob. */
export function publishedSnapshotTime(published: PublishedExport | PublishedUpload): string | undefined {
  return published.kind === 'export' ? formatSnapshotTime(published.createdAt) : undefined
}

/** The account of one publication, so that operations on it are those on any other. */
export function createPublishedAccount(
  path: PublishedPath,
  published: PublishedExport | PublishedUpload,
  clock: ServiceClock,
): Account {
  const account = new Account({
    name: path.account,
    kind: 'ManagedDisk',
    sku: 'Standard_LRS',
    isHnsEnabled: false,
    region: '',
  })
  const now = clock.now()
  const container = new Container(path.container, new Map(), clock.nextETag(), now)
  const blob = new Blob(path.blob)
  const createdAt = published.kind === 'export' ? published.createdAt : now
  const state: BlobState = {
    type: 'PageBlob',
    pages: published.kind === 'export' ? new ExportPages(published) : published.volume,
    sequenceNumber: 0,
    metadata: new Map(),
    http: { contentType: 'application/octet-stream' },
    etag: clock.nextETag(),
    lastModified: createdAt,
    createdAt,
    generation: randomUUID(),
    copy: undefined,
  }
  const snapshot = publishedSnapshotTime(published)
  if (snapshot === undefined) blob.base = state
  else blob.snapshots.set(snapshot, state)
  container.add(blob)
  account.containers.set(path.container, container)
  return account
}
