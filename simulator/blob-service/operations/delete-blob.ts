import { checkReadConditions } from '../conditions.ts'
import type { Blob } from '../model/blob.ts'
import { DELETE_BLOB, type Operation, type OperationContext } from '../operation.ts'
import type { Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { requireContainer, writeTarget } from './lookup.ts'

/** Delete Blob: a snapshot, the base with or without its snapshots, or the snapshots only. There is no soft delete. */
export const deleteBlobOperation: Operation = {
  name: 'DeleteBlob',
  method: 'DELETE',
  levels: ['blob'],
  access: DELETE_BLOB,
  run: deleteBlob,
}

const ACCEPTED: Reply = { status: 202, headers: { 'x-ms-delete-type-permanent': 'true' } }

function deleteBlob(context: OperationContext): Reply {
  const { request } = context
  const scope = request.header('x-ms-delete-snapshots')
  if (scope !== undefined && scope !== 'include' && scope !== 'only') {
    throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-delete-snapshots' })
  }
  const snapshot = request.query.get('snapshot')
  if (snapshot !== null) {
    if (scope !== undefined) throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-delete-snapshots' })
    return deleteSnapshot(context, snapshot)
  }
  const { blob } = writeTarget(context)
  if (scope === 'only') {
    for (const each of blob.snapshots.keys()) removeSnapshot(context, blob, each)
    return ACCEPTED
  }
  if (scope === undefined && blob.snapshots.size > 0) throw new StorageError('SnapshotsPresent')
  const container = requireContainer(context)
  container.remove(blob.name)
  context.service.ledger.blobGone(context.account.name, container.name, blob.name)
  return ACCEPTED
}

function deleteSnapshot(context: OperationContext, snapshot: string): Reply {
  const blob = requireContainer(context).blob(context.request.blobName)
  const state = blob?.snapshots.get(snapshot)
  if (blob === undefined || state === undefined) throw new StorageError('BlobNotFound')
  checkReadConditions(context.request, state)
  removeSnapshot(context, blob, snapshot)
  return ACCEPTED
}

function removeSnapshot({ account, request, service }: OperationContext, blob: Blob, snapshot: string): void {
  blob.snapshots.delete(snapshot)
  service.ledger.snapshotGone(account.name, request.containerName, blob.name, snapshot)
}
