import { randomUUID } from 'node:crypto'
import {
  isOwn,
  openOwnSource,
  requireSourceUrl,
  sourceAuthorization,
  type OwnSource,
  type SourceRights,
} from '../copy-source.ts'
import { readMetadata } from '../metadata.ts'
import { contentLength, isFrozen, isVolume, type BlobState, type CopyRecord, type Pages } from '../model/blob.ts'
import { copiedBytes } from '../pending-copies.ts'
import { CREATE_BLOB, WRITE_BLOB, type Operation, type OperationContext } from '../operation.ts'
import type { Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import type { Volume } from '../../store/volume.ts'
import type { VolumeStore } from '../../store/volume-store.ts'
import { createTarget, putBlobState, replaceState, requireContainer, validatorHeaders } from './lookup.ts'

/**
 * Copy Blob and Copy Blob From URL, from a blob, blob snapshot or published disk of this service. The former is
 * pending for a time, by a setting; until then the blob is empty and nothing changes it. The copy is a new generation
 * of its blob, also when a snapshot is promoted over its own base.
 *
 * Sources on other servers are not offered, nor is Incremental Copy Blob, which refuses disk snapshots in Azure too.
 */
export const copyBlobOperations: readonly Operation[] = [
  {
    name: 'IncrementalCopyBlob',
    method: 'PUT',
    levels: ['blob'],
    comp: 'incrementalcopy',
    access: CREATE_BLOB,
    run: refuseIncrementalCopy,
  },
  { name: 'AbortCopyBlob', method: 'PUT', levels: ['blob'], comp: 'copy', access: WRITE_BLOB, run: abortCopy },
  {
    name: 'CopyBlob',
    method: 'PUT',
    levels: ['blob'],
    when: (request) =>
      request.header('x-ms-copy-source') !== undefined && request.header('x-ms-blob-type') === undefined,
    access: CREATE_BLOB,
    run: copyBlob,
  },
]

async function copyBlob(context: OperationContext): Promise<Reply> {
  const { request, account, service } = context
  const url = requireSourceUrl(context)
  if (!isOwn(context, url)) throw new StorageError('NotImplemented', { reason: 'Copy Blob from another server' })
  const { state: source, origin } = openSource(context, url)
  if (source.type === 'PageBlob' ? !account.takesPageBlobs : !account.takesBlockBlobs) {
    throw new StorageError('BlobTypeNotSupported')
  }
  const totalBytes = contentLength(source)
  const { blob } = createTarget(context)
  // A destination may be leased, but only for ever, since a copy may outlive any other lease.
  if (blob.lease.isLocked(service.clock.now().getTime()) && !blob.lease.isInfinite) {
    throw new StorageError('InfiniteLeaseDurationRequired')
  }
  const copied = await copyContent(context, source)
  createTarget(context)
  const given = readMetadata(request)
  const now = service.clock.now()
  const pendingMs = isSync(context) ? 0 : service.limits.copyBlobMs
  const copy: CopyRecord = {
    id: randomUUID(),
    source: url.origin + url.pathname,
    status: pendingMs === 0 ? 'success' : 'pending',
    startedAt: now,
    completedAt: new Date(now.getTime() + pendingMs),
    copiedBytes: totalBytes,
    totalBytes,
  }
  const whole: BlobState = {
    ...copied,
    metadata: given.size === 0 ? source.metadata : given,
    createdAt: now,
    generation: randomUUID(),
    copy,
    arriving: undefined,
  }
  const begun = pendingMs === 0 ? whole : { ...emptyOf(context, whole), arriving: { state: whole, origin } }
  const state = putBlobState<BlobState>(context, blob, begun)
  service.pendingCopies.watch({ account: account.name, container: request.containerName }, blob)
  context.countCopiedBytes(totalBytes)
  return {
    status: 202,
    headers: { ...validatorHeaders(state), 'x-ms-copy-id': copy.id, 'x-ms-copy-status': copy.status },
  }
}

/** What is there while the copy is pending: zeros as long as the source, or no blocks. */
function emptyOf({ service }: OperationContext, state: BlobState): BlobState {
  if (state.type === 'BlockBlob') return { ...state, blocks: [] }
  return { ...state, pages: service.store.createVolume(state.pages.sizeBytes) }
}

/** Copy Blob From URL answers when it is done. */
function isSync({ request }: OperationContext): boolean {
  return request.header('x-ms-requires-sync')?.toLowerCase() === 'true'
}

/** Copy Blob looks a source of its own account up itself, and says so when there is none; any other it can only not verify. */
function openSource(context: OperationContext, url: URL): OwnSource {
  try {
    return openOwnSource(context, url, sourceRights(context, url))
  } catch (error) {
    const isMissing = error instanceof StorageError && error.headers['x-ms-copy-source-error-code'] === 'BlobNotFound'
    throw isMissing && !isSync(context) && isOfSameAccount(context, url) ? new StorageError('BlobNotFound') : error
  }
}

function isOfSameAccount({ account }: OperationContext, url: URL): boolean {
  return url.pathname.startsWith(`/${account.name}/`)
}

/** Within one account what authorizes the request authorizes its source as well, unless that has rights of its own. */
function sourceRights(context: OperationContext, url: URL): SourceRights {
  const authorization = sourceAuthorization(context)
  if (authorization !== undefined || url.searchParams.has('sig') || !isOfSameAccount(context, url))
    return { kind: 'ownRights', authorization }
  if (context.caller.kind === 'sharedKey') return { kind: 'accountKey' }
  return { kind: 'ownRights', authorization: context.request.header('authorization') }
}

function abortCopy(context: OperationContext): Reply {
  const { request, service } = context
  const blob = requireContainer(context).blob(request.blobName)
  if (blob?.base === undefined) throw new StorageError('BlobNotFound')
  if (request.requireHeader('x-ms-copy-action').toLowerCase() !== 'abort') {
    throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-copy-action' })
  }
  const id = request.query.get('copyid')
  if (id === null) throw new StorageError('MissingRequiredQueryParameter', { reason: 'copyid' })
  const now = service.clock.now()
  blob.lease.checkWrite(now.getTime(), request.header('x-ms-lease-id'))
  const { copy } = blob.base
  if (copy?.status !== 'pending') throw new StorageError('NoPendingCopyOperation')
  if (copy.id !== id) throw new StorageError('CopyIdMismatch')
  const aborted: CopyRecord = {
    ...copy,
    status: 'aborted',
    completedAt: now,
    copiedBytes: copiedBytes(copy, now.getTime()),
  }
  replaceState(context, blob, service.pendingCopies.emptied(blob.base, aborted))
  return { status: 204 }
}

function refuseIncrementalCopy(context: OperationContext): Reply {
  const url = requireSourceUrl(context)
  const [, accountName = ''] = url.pathname.split('/')
  if (isOwn(context, url) && context.service.publications.owns(accountName)) {
    throw new StorageError('CopySourceCannotBeIncrementalCopyBlob')
  }
  throw new StorageError('NotImplemented', { reason: 'Incremental Copy Blob' })
}

async function copyContent({ service }: OperationContext, source: BlobState): Promise<BlobState> {
  return source.type === 'PageBlob' ? { ...source, pages: await forkPages(service.store, source.pages) } : source
}

async function forkPages(store: VolumeStore, pages: Pages): Promise<Volume> {
  if (isVolume(pages)) return pages.freeze().fork()
  if (isFrozen(pages)) return pages.fork()
  return pages.copyTo(store)
}
