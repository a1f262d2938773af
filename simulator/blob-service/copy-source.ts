import { request as fetchUrl } from 'undici'
import { BlobRequest } from './blob-request.ts'
import { rangeLength, type ClosedRange } from './byte-range.ts'
import { checkSourceConditions, hasConditions } from './conditions.ts'
import { contentLength, readContent, type ArrivingCopy, type BlobState } from './model/blob.ts'
import { READ_BLOB, type OperationContext } from './operation.ts'
import { StorageError } from './storage-error.ts'

/**
 * The source of a server-side copy: a URL with its own rights. One that lies on this service is read directly, without
 * HTTP but with all its checks; any other is fetched.
 *
 * A source that cannot be read is CannotVerifyCopySource with the status of the cause, which is also told in
 * `x-ms-copy-source-status-code` and `x-ms-copy-source-error-code`.
 */

const MAX_SOURCE_URL_BYTES = 2048
const BEARER_SOURCE_VERSION = '2020-10-02'
const SOURCE_AUTHORIZATION = 'x-ms-copy-source-authorization'

/** How a source is opened: by a SAS in its URL or a token beside it, or by the account key of the request itself. */
export type SourceRights =
  { readonly kind: 'ownRights'; readonly authorization: string | undefined } | { readonly kind: 'accountKey' }

export interface OwnSource extends ArrivingCopy {
  /** Its present state; if it is a base blob, the origin tells it from a later one. */
  readonly state: BlobState
}

/** Reads a range of `x-ms-copy-source`, into the buffer where that is possible. */
export async function readCopySource(context: OperationContext, range: ClosedRange, into: Buffer): Promise<Buffer> {
  const url = requireSourceUrl(context)
  if (!isOwn(context, url)) return fetchRange(context, url, range)
  const rights: SourceRights = { kind: 'ownRights', authorization: sourceAuthorization(context) }
  const { state } = openOwnSource(context, url, rights)
  if (range.endBytes >= contentLength(state)) throw cannotVerify(new StorageError('InvalidRange'))
  return readContent(state, range.startBytes, rangeLength(range), into)
}

/** `x-ms-copy-source`. @throws StorageError InvalidHeaderValue when it is no URL or longer than 2 KiB. */
export function requireSourceUrl({ request }: OperationContext): URL {
  const text = request.requireHeader('x-ms-copy-source')
  if (Buffer.byteLength(text) > MAX_SOURCE_URL_BYTES || !URL.canParse(text)) {
    throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-copy-source' })
  }
  return new URL(text)
}

/**
 * The bearer token for the source, as a value of `Authorization`.
 *
 * @throws StorageError UnsupportedHeader before 2020-10-02
 */
export function sourceAuthorization({ request }: OperationContext): string | undefined {
  const authorization = request.header(SOURCE_AUTHORIZATION)
  if (authorization !== undefined && !request.isVersionAtLeast(BEARER_SOURCE_VERSION)) {
    throw new StorageError('UnsupportedHeader', { reason: SOURCE_AUTHORIZATION })
  }
  return authorization
}

export function isOwn({ service }: OperationContext, url: URL): boolean {
  return url.origin === new URL(service.baseUrl()).origin
}

/**
 * The base or snapshot that a URL of this service names, after its rights and the source conditions of the request.
 *
 * @throws StorageError CannotVerifyCopySource; CopySourceCannotBeIncrementalCopyBlob for disks with private access.
 */
export function openOwnSource(context: OperationContext, url: URL, rights: SourceRights): OwnSource {
  const { request, service } = context
  const headers = new Map([['x-ms-version', request.version]])
  if (rights.kind === 'ownRights' && rights.authorization !== undefined)
    headers.set('authorization', rights.authorization)
  const source = new BlobRequest({
    method: 'GET',
    target: url.pathname + url.search,
    headers,
    isSecure: url.protocol === 'https:',
    remoteAddress: request.remoteAddress,
  })
  const isDisk = service.publications.owns(source.accountName)
  if (isDisk && hasConditions(request, 'source')) {
    throw new StorageError('UnsupportedHeader', { reason: 'conditions on the source, which is a managed disk' })
  }
  const account = service.publications.account(source.accountName) ?? service.accounts.get(source.accountName)
  if (rights.kind === 'ownRights') {
    const caller = verified(() => service.authorize(source, account, READ_BLOB))
    if (caller.kind === 'publication' && caller.isPrivate)
      throw new StorageError('CopySourceCannotBeIncrementalCopyBlob')
  }
  const blob = account?.containers.get(source.containerName)?.blob(source.blobName)
  const snapshot = source.query.get('snapshot')
  const state = snapshot === null ? blob?.base : blob?.snapshots.get(snapshot)
  if (state === undefined) throw cannotVerify(new StorageError('BlobNotFound'))
  checkSourceConditions(request, state)
  const { accountName, containerName, blobName } = source
  const isFixed = snapshot !== null || isDisk
  return {
    state,
    origin: isFixed
      ? undefined
      : { account: accountName, container: containerName, blob: blobName, etag: state.etag },
  }
}

async function fetchRange(context: OperationContext, url: URL, range: ClosedRange): Promise<Buffer> {
  const { request } = context
  const authorization = sourceAuthorization(context)
  const conditions = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'].flatMap((name) => {
    const value = request.header(`x-ms-source-${name}`)
    return value === undefined ? [] : [[name, value] as const]
  })
  const response = await fetchUrl(url, {
    headers: {
      ...Object.fromEntries(conditions),
      ...(authorization === undefined ? {} : { authorization }),
      range: `bytes=${range.startBytes}-${range.endBytes}`,
      'x-ms-version': request.version,
    },
  }).catch(() => {
    throw cannotVerify(new StorageError('InternalError', { message: 'The copy source did not answer.' }))
  })
  const body = Buffer.from(await response.body.arrayBuffer())
  if (response.statusCode === 412 || response.statusCode === 304) throw new StorageError('SourceConditionNotMet')
  if (response.statusCode !== 206 && response.statusCode !== 200) {
    const code = response.headers['x-ms-error-code']
    throw cannotVerify({
      status: response.statusCode,
      code: typeof code === 'string' ? code : '',
      message: 'The copy source refused the read.',
    })
  }
  const data = response.statusCode === 206 ? body : body.subarray(range.startBytes, range.endBytes + 1)
  if (data.length !== rangeLength(range)) throw cannotVerify(new StorageError('InvalidRange'))
  return data
}

function verified<Result>(open: () => Result): Result {
  try {
    return open()
  } catch (error) {
    throw error instanceof StorageError ? cannotVerify(error) : error
  }
}

function cannotVerify(cause: { status: number; code: string; message: string }): StorageError {
  return new StorageError('CannotVerifyCopySource', {
    status: cause.status,
    message: cause.message,
    headers: {
      'x-ms-copy-source-status-code': String(cause.status),
      ...(cause.code === '' ? {} : { 'x-ms-copy-source-error-code': cause.code }),
    },
  })
}
