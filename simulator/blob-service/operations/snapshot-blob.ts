import { readMetadata } from '../metadata.ts'
import { isVolume, type Blob, type BlobState } from '../model/blob.ts'
import { checkWriteConditions } from '../conditions.ts'
import { CREATE_BLOB, type Operation, type OperationContext } from '../operation.ts'
import type { Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { refuseWhileCopied, requireContainer, validatorHeaders } from './lookup.ts'

/**
 * Snapshot Blob. Each call makes another snapshot, with a later time than any before. Metadata that is given replaces
 * that of the base, and then the snapshot has an ETag of its own.
 */
export const snapshotBlobOperation: Operation = {
  name: 'SnapshotBlob',
  method: 'PUT',
  levels: ['blob'],
  comp: 'snapshot',
  access: CREATE_BLOB,
  run: snapshotBlob,
}

function snapshotBlob(context: OperationContext): Reply {
  const { request, account, service } = context
  if (request.query.has('snapshot')) throw new StorageError('InvalidOperation')
  const blob = requireContainer(context).blob(request.blobName)
  if (blob?.base === undefined) throw new StorageError('BlobNotFound')
  // A snapshot changes nothing, so a leased blob needs no lease id; one that is given must be right.
  blob.lease.checkRead(service.clock.now().getTime(), request.header('x-ms-lease-id'))
  refuseWhileCopied(blob)
  checkWriteConditions(request, blob.base)
  if (account.isPremium) checkPremiumLimits(context, blob)
  const metadata = readMetadata(request)
  const frozen = freeze(blob.base)
  const state =
    metadata.size === 0
      ? frozen
      : { ...frozen, metadata, etag: service.clock.nextETag(), lastModified: service.clock.now() }
  const snapshot = service.clock.nextSnapshotTime()
  blob.snapshots.set(snapshot, state)
  service.ledger.snapshotTaken(account.name, request.containerName, blob, snapshot)
  return {
    status: 201,
    headers: { ...validatorHeaders(state), 'x-ms-snapshot': snapshot, 'x-ms-request-server-encrypted': 'false' },
  }
}

/** The state with bytes that do not change any more. */
export function freeze(state: BlobState): BlobState {
  return state.type === 'PageBlob' && isVolume(state.pages) ? { ...state, pages: state.pages.freeze() } : state
}

function checkPremiumLimits({ service }: OperationContext, blob: Blob): void {
  if (blob.snapshots.size >= service.limits.maxPremiumSnapshots) throw new StorageError('SnapshotCountExceeded')
  const newest = [...blob.snapshots.keys()].at(-1)
  const sinceNewestMs = newest === undefined ? Infinity : service.clock.now().getTime() - Date.parse(newest)
  if (sinceNewestMs < service.limits.premiumSnapshotIntervalMs) throw new StorageError('SnapshotOperationRateExceeded')
}
