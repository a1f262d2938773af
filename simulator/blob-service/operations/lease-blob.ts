import { checkWriteConditions } from '../conditions.ts'
import type { Lease } from '../model/lease.ts'
import { WRITE_BLOB, type Operation, type OperationContext } from '../operation.ts'
import type { Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { refuseWhileCopied, requireContainer, validatorHeaders } from './lookup.ts'

/** Lease Blob: acquire, renew, change, release, break. */
export const leaseBlobOperation: Operation = {
  name: 'LeaseBlob',
  method: 'PUT',
  levels: ['blob'],
  comp: 'lease',
  access: WRITE_BLOB,
  run: leaseBlob,
}

const INFINITE = '-1'
const MIN_LEASE_SECONDS = 15
const MAX_LEASE_SECONDS = 60
const GUID = /^\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$/i

function leaseBlob(context: OperationContext): Reply {
  const { request, account, service } = context
  if (request.query.has('snapshot')) throw new StorageError('InvalidOperation')
  const blob = requireContainer(context).blob(request.blobName)
  if (blob?.base === undefined) throw new StorageError('BlobNotFound')
  refuseWhileCopied(blob)
  checkWriteConditions(request, blob.base)
  const reply = changeLease(context, blob.lease, validatorHeaders(blob.base))
  service.ledger.blobChanged(account, request.containerName, blob)
  return reply
}

function changeLease(context: OperationContext, lease: Lease, headers: Record<string, string>): Reply {
  const { request, service } = context
  const nowMs = service.clock.now().getTime()
  const action = request.requireHeader('x-ms-lease-action').toLowerCase()
  switch (action) {
    case 'acquire': {
      const id = lease.acquire(nowMs, requireDurationMs(context), proposedId(context))
      return { status: 201, headers: { ...headers, 'x-ms-lease-id': id } }
    }
    case 'renew':
      return { status: 200, headers: { ...headers, 'x-ms-lease-id': lease.renew(nowMs, leaseId(context)) } }
    case 'change': {
      const proposed = proposedId(context)
      if (proposed === undefined) throw new StorageError('MissingRequiredHeader', { reason: 'x-ms-proposed-lease-id' })
      return { status: 200, headers: { ...headers, 'x-ms-lease-id': lease.change(nowMs, leaseId(context), proposed) } }
    }
    case 'release':
      lease.release(leaseId(context))
      return { status: 200, headers }
    case 'break': {
      const leftSeconds = lease.break(nowMs, breakPeriodMs(context))
      return { status: 202, headers: { ...headers, 'x-ms-lease-time': String(leftSeconds) } }
    }
    default:
      throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-lease-action' })
  }
}

function requireDurationMs({ request }: OperationContext): number | undefined {
  if (request.requireHeader('x-ms-lease-duration') === INFINITE) return undefined
  const seconds = request.numberHeader('x-ms-lease-duration') ?? 0
  if (seconds < MIN_LEASE_SECONDS || seconds > MAX_LEASE_SECONDS) {
    throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-lease-duration' })
  }
  return seconds * 1000
}

function breakPeriodMs({ request }: OperationContext): number | undefined {
  const seconds = request.numberHeader('x-ms-lease-break-period')
  if (seconds === undefined) return undefined
  if (seconds > MAX_LEASE_SECONDS) throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-lease-break-period' })
  return seconds * 1000
}

function leaseId({ request }: OperationContext): string {
  return requireGuid(request.requireHeader('x-ms-lease-id'))
}

function proposedId({ request }: OperationContext): string | undefined {
  const id = request.header('x-ms-proposed-lease-id')
  return id === undefined ? undefined : requireGuid(id)
}

function requireGuid(id: string): string {
  if (!GUID.test(id)) throw new StorageError('InvalidHeaderValue', { reason: 'a lease id is a GUID' })
  return id
}
