import { mayOverwrite } from '../auth/caller.ts'
import { checkCreateConditions, checkReadConditions, checkWriteConditions } from '../conditions.ts'
import { httpTime } from '../http-time.ts'
import { Blob, isVolume, type BlobState, type PageBlobState } from '../model/blob.ts'
import type { Container } from '../model/container.ts'
import type { OperationContext } from '../operation.ts'
import { StorageError } from '../storage-error.ts'
import type { Volume } from '../../store/volume.ts'

/**
 * Finding what a request is about, with the checks that every operation of the kind makes, and putting a new state in
 * place.
 *
 * An operation decides and changes within one turn of the event loop: it waits for bodies and sources before, and for
 * the disk after. So writes to one blob are serial without a lock, and a condition holds at the moment of the change.
 */

export function requireContainer({ request, account }: OperationContext): Container {
  const container = account.containers.get(request.containerName)
  if (container === undefined) throw new StorageError('ContainerNotFound')
  return container
}

/** The base or snapshot to read; lease id and conditions of the request are checked. */
export function readTarget(context: OperationContext): { blob: Blob; state: BlobState; isSnapshot: boolean } {
  const { request, service } = context
  const blob = requireContainer(context).blob(request.blobName)
  const snapshot = request.query.get('snapshot')
  const state = snapshot === null ? blob?.base : blob?.snapshots.get(snapshot)
  if (blob === undefined || state === undefined) throw new StorageError('BlobNotFound')
  blob.lease.checkRead(service.clock.now().getTime(), request.header('x-ms-lease-id'))
  checkReadConditions(request, state)
  return { blob, state, isSnapshot: snapshot !== null }
}

/** The base blob to change; lease id and conditions of the request are checked. */
export function writeTarget(context: OperationContext): { blob: Blob; state: BlobState } {
  const { request, service } = context
  if (request.query.has('snapshot')) throw new StorageError('InvalidOperation')
  const blob = requireContainer(context).blob(request.blobName)
  if (blob?.base === undefined) throw new StorageError('BlobNotFound')
  blob.lease.checkWrite(service.clock.now().getTime(), request.header('x-ms-lease-id'))
  refuseWhileCopied(blob)
  checkWriteConditions(request, blob.base)
  return { blob, state: blob.base }
}

export interface PageWriteTarget {
  readonly blob: Blob
  readonly state: PageBlobState
  readonly volume: Volume
}

/** As `writeTarget`, and it must be a page blob. */
export function pageWriteTarget(context: OperationContext): PageWriteTarget {
  const { blob, state } = writeTarget(context)
  if (state.type !== 'PageBlob' || !isVolume(state.pages)) throw new StorageError('InvalidBlobType')
  return { blob, state, volume: state.pages }
}

/**
 * Where a blob is made anew: checks conditions, lease and the right to overwrite. The blob is not yet in the
 * container.
 */
export function createTarget(context: OperationContext): { container: Container; blob: Blob } {
  const { request, service, caller } = context
  const container = requireContainer(context)
  const blob = container.blob(request.blobName) ?? new Blob(request.blobName)
  if (blob.base !== undefined && !mayOverwrite(caller)) throw new StorageError('UnauthorizedBlobOverwrite')
  blob.lease.checkWrite(service.clock.now().getTime(), request.header('x-ms-lease-id'))
  refuseWhileCopied(blob)
  checkCreateConditions(request, blob.base)
  return { container, blob }
}

/** @throws StorageError PendingCopyOperation: until its copy has ended, nothing changes a blob. */
export function refuseWhileCopied(blob: Blob): void {
  if (blob.base?.arriving !== undefined) throw new StorageError('PendingCopyOperation')
}

/** As `replaceState`, for an operation that makes the blob anew: it is in the container, without uncommitted blocks. */
export function putBlobState<State extends BlobState>(context: OperationContext, blob: Blob, state: State): State {
  blob.uncommittedBlocks.clear()
  requireContainer(context).add(blob)
  return replaceState(context, blob, state)
}

/** Puts a changed state in place with a new ETag and time, and gives it. */
export function replaceState<State extends BlobState>(context: OperationContext, blob: Blob, state: State): State {
  const { account, request, service } = context
  const { clock, ledger } = service
  const now = clock.now()
  const replaced = { ...state, etag: clock.nextETag(), lastModified: now }
  blob.base = replaced
  blob.lease.afterWrite(now.getTime())
  ledger.blobChanged(account, request.containerName, blob)
  return replaced
}

export function validatorHeaders(state: Pick<BlobState, 'etag' | 'lastModified'>): Record<string, string> {
  return { ETag: state.etag, 'Last-Modified': httpTime(state.lastModified) }
}

export function sequenceNumberHeader(state: PageBlobState): Record<string, string> {
  return { 'x-ms-blob-sequence-number': String(state.sequenceNumber) }
}
