import { httpTime } from '../http-time.ts'
import { copyProgress } from './blob-headers.ts'
import type { Account } from '../model/account.ts'
import { contentLength, type Blob, type BlobState } from '../model/blob.ts'
import type { Container } from '../model/container.ts'
import { LIST_BLOBS, type Operation, type OperationContext } from '../operation.ts'
import { xmlReply, type Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { xmlElement, xmlText } from '../xml.ts'
import { requireContainer } from './lookup.ts'
import { listPage, metadataXml, readListQuery } from './listing.ts'

/**
 * List Blobs, flat or by a delimiter: in the order of names, and of one name the snapshots, oldest first, before the
 * base. A page counts blobs, snapshots and prefixes alike.
 */
export const listBlobsOperation: Operation = {
  name: 'ListBlobs',
  method: 'GET',
  levels: ['container'],
  restype: 'container',
  comp: 'list',
  access: LIST_BLOBS,
  run: listBlobs,
}

type ListItem =
  | { readonly kind: 'prefix'; readonly key: string; readonly name: string }
  | {
      readonly kind: 'blob'
      readonly key: string
      readonly blob: Blob
      readonly state: BlobState
      readonly snapshot: string | undefined
    }

function listBlobs(context: OperationContext): Reply {
  const { request, account, service } = context
  const container = requireContainer(context)
  const query = readListQuery(context)
  const delimiter = request.query.get('delimiter') ?? ''
  if (delimiter !== '' && query.include.has('snapshots')) {
    throw new StorageError('InvalidQueryParameterValue', { reason: 'snapshots cannot be listed with a delimiter' })
  }
  const { items, nextMarker } = listPage(listItems(container, query.prefix, delimiter, query.include), query)
  const nowMs = service.clock.now().getTime()
  const blobs = items.map((item) =>
    item.kind === 'prefix'
      ? xmlElement('BlobPrefix', xmlText('Name', item.name))
      : blobXml(account, item.blob, item.state, item.snapshot, query.include, nowMs),
  )
  const body =
    xmlText('Prefix', query.prefix) +
    xmlText('Marker', query.marker) +
    xmlText('MaxResults', query.maxResults) +
    (delimiter === '' ? '' : xmlText('Delimiter', delimiter)) +
    xmlElement('Blobs', blobs.join('')) +
    xmlText('NextMarker', nextMarker ?? '')
  const attributes = { ServiceEndpoint: `${service.baseUrl()}/${account.name}/`, ContainerName: container.name }
  return xmlReply(xmlElement('EnumerationResults', body, attributes))
}

function* listItems(
  container: Container,
  prefix: string,
  delimiter: string,
  include: ReadonlySet<string>,
): Generator<ListItem> {
  let lastPrefix: string | undefined
  for (const name of container.sortedNames()) {
    const blob = container.blob(name)
    if (blob === undefined || !name.startsWith(prefix)) continue
    const end = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length)
    if (end >= 0) {
      const folder = name.slice(0, end + delimiter.length)
      if (folder !== lastPrefix) yield { kind: 'prefix', key: folder, name: folder }
      lastPrefix = folder
      continue
    }
    if (include.has('snapshots')) {
      for (const [snapshot, state] of blob.snapshots)
        yield { kind: 'blob', key: `${name}\n${snapshot}`, blob, state, snapshot }
    }
    // The base comes behind its snapshots, whose times begin with a digit.
    if (blob.base !== undefined) yield { kind: 'blob', key: `${name}\n~`, blob, state: blob.base, snapshot: undefined }
  }
}

function blobXml(
  account: Account,
  blob: Blob,
  state: BlobState,
  snapshot: string | undefined,
  include: ReadonlySet<string>,
  nowMs: number,
): string {
  const properties =
    xmlText('Creation-Time', httpTime(state.createdAt)) +
    xmlText('Last-Modified', httpTime(state.lastModified)) +
    xmlText('Etag', state.etag.slice(1, -1)) +
    xmlText('Content-Length', contentLength(state)) +
    xmlText('Content-Type', state.http.contentType) +
    xmlText('Content-Encoding', state.http.contentEncoding) +
    xmlText('Content-Language', state.http.contentLanguage) +
    xmlText('Content-MD5', state.http.contentMd5) +
    xmlText('Cache-Control', state.http.cacheControl) +
    xmlText('Content-Disposition', state.http.contentDisposition) +
    (state.type === 'PageBlob' ? xmlText('x-ms-blob-sequence-number', state.sequenceNumber) : '') +
    xmlText('BlobType', state.type) +
    (state.type === 'BlockBlob' && !account.isPremium
      ? xmlText('AccessTier', 'Hot') + xmlText('AccessTierInferred', true)
      : '') +
    (snapshot === undefined ? leaseXml(blob, nowMs) : '') +
    (include.has('copy') ? copyXml(state, nowMs) : '') +
    xmlText('ServerEncrypted', true)
  return xmlElement(
    'Blob',
    xmlText('Name', blob.name) +
      xmlText('Snapshot', snapshot) +
      xmlElement('Properties', properties) +
      (include.has('metadata') ? metadataXml(state.metadata) : ''),
  )
}

function leaseXml(blob: Blob, nowMs: number): string {
  const state = blob.lease.state(nowMs)
  return (
    xmlText('LeaseStatus', blob.lease.isLocked(nowMs) ? 'locked' : 'unlocked') +
    xmlText('LeaseState', state) +
    (state === 'leased' ? xmlText('LeaseDuration', blob.lease.isInfinite ? 'infinite' : 'fixed') : '')
  )
}

function copyXml({ copy }: BlobState, nowMs: number): string {
  if (copy === undefined) return ''
  return (
    xmlText('CopyId', copy.id) +
    xmlText('CopySource', copy.source) +
    xmlText('CopyStatus', copy.status) +
    xmlText('CopyProgress', copyProgress(copy, nowMs)) +
    xmlText('CopyCompletionTime', copy.status === 'pending' ? undefined : httpTime(copy.completedAt)) +
    xmlText('CopyStatusDescription', copy.description)
  )
}
