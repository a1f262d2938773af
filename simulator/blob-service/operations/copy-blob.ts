import { randomUUID } from 'node:crypto'
import { isOwn, openOwnSource, requireSourceUrl, sourceAuthorization, type SourceRights } from '../copy-source.ts'
import { readMetadata } from '../metadata.ts'
import { contentLength, isFrozen, isVolume, type BlobState, type Pages } from '../model/blob.ts'
import { CREATE_BLOB, WRITE_BLOB, type Operation, type OperationContext } from '../operation.ts'
import type { Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import type { Volume } from '../../store/volume.ts'
import type { VolumeStore } from '../../store/volume-store.ts'
import { createTarget, putBlobState, validatorHeaders } from './lookup.ts'

/**
 * Copy Blob and Copy Blob From URL, from a blob, blob snapshot or published disk of this service; both complete at
 * once. The copy is a new generation of its blob, also when a snapshot is promoted over its own base.
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
  const source = openSource(context, url)
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
  const state = putBlobState<BlobState>(context, blob, {
    ...copied,
    metadata: given.size === 0 ? source.metadata : given,
    createdAt: now,
    generation: randomUUID(),
    copy: { id: randomUUID(), source: url.origin + url.pathname, completedAt: now, totalBytes },
  })
  context.countCopiedBytes(totalBytes)
  return {
    status: 202,
    headers: { ...validatorHeaders(state), 'x-ms-copy-id': state.copy?.id ?? '', 'x-ms-copy-status': 'success' },
  }
}

/** Copy Blob looks a source of its own account up itself, and says so when there is none; any other it can only not verify. */
function openSource(context: OperationContext, url: URL): BlobState {
  try {
    return openOwnSource(context, url, sourceRights(context, url))
  } catch (error) {
    const isMissing = error instanceof StorageError && error.headers['x-ms-copy-source-error-code'] === 'BlobNotFound'
    const isSync = context.request.header('x-ms-requires-sync')?.toLowerCase() === 'true'
    throw isMissing && !isSync && isOfSameAccount(context, url) ? new StorageError('BlobNotFound') : error
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

function abortCopy(): Reply {
  throw new StorageError('NoPendingCopyOperation')
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
