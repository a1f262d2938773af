import { BlobRequest } from '../blob-request.ts'
import { ExportPages } from '../model/export-pages.ts'
import { isFrozen, type PageBlobState } from '../model/blob.ts'
import { READ_BLOB, type OperationContext } from '../operation.ts'
import { isSnapshotTime } from '../service-clock.ts'
import { StorageError } from '../storage-error.ts'
import type { DiffSpan } from '../../store/volume.ts'
import { requireContainer } from './lookup.ts'

/**
 * What a page-range diff is taken against: an earlier snapshot of the same blob (`prevsnapshot`), or, on a managed
 * disk, another snapshot by its SAS URL (`x-ms-previous-snapshot-url`). Each form is refused where the other belongs.
 */

const PREVIOUS_SNAPSHOT_VERSION = '2015-07-08'
const PREVIOUS_URL_VERSION = '2019-07-07'
const PREVIOUS_URL = 'x-ms-previous-snapshot-url'

export function isDiff(request: BlobRequest): boolean {
  return request.query.has('prevsnapshot') || request.header(PREVIOUS_URL) !== undefined
}

/** @throws StorageError when the earlier snapshot is gone, newer, of another generation or family, or not allowed. */
export function diffSpans(
  context: OperationContext,
  state: PageBlobState,
  fromBytes: number,
  toBytes: number,
): Iterable<DiffSpan> {
  const { request } = context
  const url = request.header(PREVIOUS_URL)
  if (url === undefined) return sinceSnapshot(context, state).diff(fromBytes, toBytes)
  if (context.account.kind !== 'ManagedDisk') throw new StorageError('UnsupportedHeaderForNonManagedDisksAccount')
  if (!request.isVersionAtLeast(PREVIOUS_URL_VERSION))
    throw new StorageError('UnsupportedHeader', { reason: PREVIOUS_URL })
  if (request.query.has('prevsnapshot')) throw new StorageError('InvalidInput', { reason: 'two previous snapshots' })
  return sinceExport(context, state, url).diff(fromBytes, toBytes)
}

interface Difference {
  readonly diff: (fromBytes: number, toBytes: number) => Iterable<DiffSpan>
}

function sinceSnapshot(context: OperationContext, state: PageBlobState): Difference {
  const { request } = context
  if (!request.isVersionAtLeast(PREVIOUS_SNAPSHOT_VERSION)) {
    throw new StorageError('UnsupportedQueryParameter', { reason: 'prevsnapshot' })
  }
  const previous = request.query.get('prevsnapshot') ?? ''
  if (!isSnapshotTime(previous)) throw new StorageError('InvalidQueryParameterValue', { reason: 'prevsnapshot' })
  const older = requireContainer(context).blob(request.blobName)?.snapshots.get(previous)
  if (older === undefined) throw new StorageError('PreviousSnapshotNotFound')
  const snapshot = request.query.get('snapshot')
  if (snapshot !== null && previous > snapshot) throw new StorageError('PreviousSnapshotCannotBeNewer')
  if (older.generation !== state.generation) throw new StorageError('BlobOverwritten')
  const { pages } = state
  if (older.type !== 'PageBlob' || !isFrozen(older.pages) || pages instanceof ExportPages) {
    throw new StorageError('PreviousSnapshotOperationNotSupported')
  }
  const olderPages = older.pages
  return { diff: (fromBytes, toBytes) => pages.diffSince(olderPages, fromBytes, toBytes) }
}

function sinceExport(context: OperationContext, state: PageBlobState, url: string): Difference {
  const { request, service } = context
  if (!URL.canParse(url)) throw new StorageError('InvalidHeaderValue', { reason: PREVIOUS_URL })
  const { pathname, search, protocol } = new URL(url)
  const previous = new BlobRequest({
    method: 'GET',
    target: pathname + search,
    headers: request.headers,
    isSecure: protocol === 'https:',
    remoteAddress: request.remoteAddress,
  })
  const account = service.publications.account(previous.accountName)
  if (!service.publications.owns(previous.accountName)) throw new StorageError('PreviousSnapshotOperationNotSupported')
  service.authorize(previous, account, READ_BLOB)
  const older = account?.containers
    .get(previous.containerName)
    ?.blob(previous.blobName)
    ?.snapshots.values()
    .next().value
  const olderPages = older?.type === 'PageBlob' ? older.pages : undefined
  const { pages } = state
  if (!(pages instanceof ExportPages) || !(olderPages instanceof ExportPages) || !pages.isFamilyOf(olderPages)) {
    throw new StorageError('PreviousSnapshotOperationNotSupported')
  }
  if (olderPages.createdAt > pages.createdAt) throw new StorageError('PreviousSnapshotCannotBeNewer')
  return { diff: (fromBytes, toBytes) => pages.diffSince(olderPages, fromBytes, toBytes) }
}
