import type { BlobRequest, ResourceLevel } from '../blob-request.ts'
import type { Account } from '../model/account.ts'
import type { OperationAccess } from '../operation.ts'
import { StorageError } from '../storage-error.ts'
import type { Caller } from './caller.ts'
import { expectedSasSignature } from './sas-signature.ts'
import { equalSignatures } from './shared-key.ts'

/**
 * Judges account, service and user-delegation SAS: signature, time, protocol, address, resource and permission, in that
 * order. Stored access policies (`si`) exist on published disks only; elsewhere such a SAS is refused.
 */

const RESOURCE_TYPE: Record<ResourceLevel, string> = { account: 's', container: 'c', blob: 'o' }

/** @throws StorageError 403 */
export function authorizeSas(request: BlobRequest, account: Account, access: OperationAccess, nowMs: number): Caller {
  const { query } = request
  if (!equalSignatures(query.get('sig') ?? '', expectedSasSignature(request, account))) {
    throw failed('Signature did not match.')
  }
  checkTimes(query, nowMs)
  checkConnection(request)
  if (query.has('srt')) checkAccountScope(request)
  else checkServiceScope(request, access)
  const permissions = query.get('sp') ?? ''
  if (!access.sas.split('').some((letter) => permissions.includes(letter))) {
    throw new StorageError('AuthorizationPermissionMismatch')
  }
  return { kind: 'sas', mayOverwrite: permissions.includes('w') }
}

function checkTimes(query: URLSearchParams, nowMs: number): void {
  const periods: [start: string | null, end: string | null][] = [[query.get('st'), query.get('se')]]
  if (query.has('skoid')) periods.push([query.get('skt'), query.get('ske')])
  for (const [start, end] of periods) {
    if (start !== null && nowMs < timeOf(start)) throw failed('Signature not valid in the specified time frame.')
    if (end === null || nowMs >= timeOf(end)) throw failed('Signature not valid in the specified time frame.')
  }
}

function checkConnection(request: BlobRequest): void {
  const protocol = request.query.get('spr')
  if (protocol === 'https' && !request.isSecure) throw new StorageError('AuthorizationProtocolMismatch')
  const allowed = request.query.get('sip')
  if (allowed === null) return
  const [first = '', last = first] = allowed.split('-').map(addressNumber)
  const own = addressNumber(request.remoteAddress.replace(/^::ffff:/, ''))
  if (own < first || own > last) throw new StorageError('AuthorizationSourceIPMismatch')
}

function checkAccountScope({ query, level }: BlobRequest): void {
  if (!(query.get('ss') ?? '').includes('b')) throw new StorageError('AuthorizationServiceMismatch')
  if (!(query.get('srt') ?? '').includes(RESOURCE_TYPE[level])) {
    throw new StorageError('AuthorizationResourceTypeMismatch')
  }
}

/** `sr=c` reaches the blobs of the container and its list; `sr=b` the blob; `sr=bs` nothing but the one snapshot. */
function checkServiceScope(request: BlobRequest, access: OperationAccess): void {
  const resource = request.query.get('sr')
  const isList = access.sas.includes('l')
  const isInScope =
    resource === 'c'
      ? request.level === 'blob' || (request.level === 'container' && isList)
      : resource === 'b'
        ? request.level === 'blob'
        : resource === 'bs' && request.level === 'blob' && request.query.has('snapshot')
  if (!isInScope) throw new StorageError('AuthorizationResourceTypeMismatch')
}

/** Addresses compare as text once each part has three digits. */
function addressNumber(address: string): string {
  return address
    .split('.')
    .map((part) => part.padStart(3, '0'))
    .join('.')
}

function timeOf(text: string): number {
  const timeMs = Date.parse(text)
  if (Number.isNaN(timeMs)) throw failed('A time of the signature is not well formed.')
  return timeMs
}

function failed(reason: string): StorageError {
  return new StorageError('AuthenticationFailed', { reason })
}
