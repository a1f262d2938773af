import type { BlobRequest } from '../blob-request.ts'
import { httpTime } from '../http-time.ts'
import { metadataHeaders } from '../metadata.ts'
import type { Blob, BlobState, CopyRecord, HttpProperties } from '../model/blob.ts'
import type { Account } from '../model/account.ts'
import { copiedBytes } from '../pending-copies.ts'
import { sequenceNumberHeader, validatorHeaders } from './lookup.ts'

/** Properties of a blob as headers: read from requests, written to the answers of Get Blob and Get Blob Properties. */

const DEFAULT_CONTENT_TYPE = 'application/octet-stream'

/** `x-ms-blob-content-*`; for Put Blob the plain headers count where those are missing. */
export function readHttpProperties(request: BlobRequest, withPlainHeaders: boolean): HttpProperties {
  const pick = (name: string) =>
    request.header(`x-ms-blob-${name}`) ?? (withPlainHeaders ? request.header(name) : undefined)
  return {
    contentType: pick('content-type') ?? DEFAULT_CONTENT_TYPE,
    contentEncoding: pick('content-encoding'),
    contentLanguage: pick('content-language'),
    contentDisposition: request.header('x-ms-blob-content-disposition'),
    cacheControl: pick('cache-control'),
    contentMd5: request.header('x-ms-blob-content-md5'),
  }
}

export function stateHeaders(
  account: Account,
  blob: Blob,
  state: BlobState,
  isSnapshot: boolean,
  nowMs: number,
): Record<string, string> {
  return {
    ...validatorHeaders(state),
    ...metadataHeaders(state.metadata),
    ...httpHeaders(state.http),
    ...(state.type === 'PageBlob' ? sequenceNumberHeader(state) : {}),
    ...(isSnapshot ? {} : leaseHeaders(blob, nowMs)),
    ...copyHeaders(state, nowMs),
    ...(account.takesBlockBlobs && state.type === 'BlockBlob'
      ? { 'x-ms-access-tier': 'Hot', 'x-ms-access-tier-inferred': 'true' }
      : {}),
    'x-ms-blob-type': state.type,
    'x-ms-creation-time': httpTime(state.createdAt),
    'x-ms-server-encrypted': 'true',
    'Accept-Ranges': 'bytes',
  }
}

function httpHeaders(http: HttpProperties): Record<string, string> {
  const headers: [string, string | undefined][] = [
    ['Content-Type', http.contentType],
    ['Content-Encoding', http.contentEncoding],
    ['Content-Language', http.contentLanguage],
    ['Content-Disposition', http.contentDisposition],
    ['Cache-Control', http.cacheControl],
    ['Content-MD5', http.contentMd5],
  ]
  return Object.fromEntries(headers.filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== ''))
}

function leaseHeaders(blob: Blob, nowMs: number): Record<string, string> {
  const state = blob.lease.state(nowMs)
  return {
    'x-ms-lease-status': blob.lease.isLocked(nowMs) ? 'locked' : 'unlocked',
    'x-ms-lease-state': state,
    ...(state === 'leased' ? { 'x-ms-lease-duration': blob.lease.isInfinite ? 'infinite' : 'fixed' } : {}),
  }
}

function copyHeaders({ copy }: BlobState, nowMs: number): Record<string, string> {
  if (copy === undefined) return {}
  return {
    'x-ms-copy-id': copy.id,
    'x-ms-copy-source': copy.source,
    'x-ms-copy-status': copy.status,
    'x-ms-copy-progress': copyProgress(copy, nowMs),
    ...(copy.description === undefined ? {} : { 'x-ms-copy-status-description': copy.description }),
    ...(copy.status === 'pending' ? {} : { 'x-ms-copy-completion-time': httpTime(copy.completedAt) }),
  }
}

/** Bytes copied and bytes in all. */
export function copyProgress(copy: CopyRecord, nowMs: number): string {
  return `${copiedBytes(copy, nowMs)}/${copy.totalBytes}`
}
