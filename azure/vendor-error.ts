/**
 * Reads what a vendor error says, whichever package threw it: the storage SDK, the compute SDK, its poller, our own
 * REST calls or the transport. Recognised by shape, since every package may carry a class of its own.
 *
 * Does not judge: `translate.ts` does.
 */

export interface VendorError {
  /** undefined: there was no answer. */
  readonly status: number | undefined
  readonly code: string | undefined
  /** First line, without what the service appends to it. */
  readonly reason: string
  readonly retryAfterMs: number | undefined
  readonly requestId: string | undefined
  /** Put Page From URL: what the storage service met at the source. */
  readonly copySourceStatus: number | undefined
  readonly copySourceCode: string | undefined
  /** The tenant that a refused token should have come from, by the challenge of the answer. */
  readonly wantedTenant: string | undefined
}

/** An answer that asks to wait longer than a caller should sleep; see `retry-after-policy.ts`. */
export class LongWait extends Error {
  override readonly name = 'LongWait'
  readonly answer: VendorError

  constructor(answer: VendorError) {
    super(answer.reason)
    this.answer = answer
  }
}

export interface HeaderReader {
  get(name: string): string | null | undefined
}

/** @returns undefined where the error is none of Azure's: a mistake of ours, or a cancellation. */
export function readVendorError(error: unknown): VendorError | undefined {
  if (error instanceof LongWait) return error.answer
  if (!isObject(error)) return undefined
  if (error['name'] === 'RestError') return readRestError(error)
  return readPollerError(error) ?? readTransportError(error)
}

/** What an unsuccessful answer says in its headers and, if it is JSON of ARM's, in its body. */
export function readAnswer(status: number, headers: HeaderReader, body: unknown): VendorError {
  const inner = isObject(body) && isObject(body['error']) ? body['error'] : body
  const code = textOf(isObject(inner) ? inner['code'] : undefined) ?? headers.get('x-ms-error-code') ?? undefined
  const message = textOf(isObject(inner) ? inner['message'] : undefined) ?? `status ${status}`
  return { ...readHeaders(headers), status, code, reason: firstLine(message) }
}

export function isAbort(error: unknown): boolean {
  return isObject(error) && error['name'] === 'AbortError'
}

const UNREAD_BODY = 'PARSE_ERROR'

function readRestError(error: Readonly<Record<string, unknown>>): VendorError {
  const response = isObject(error['response']) ? error['response'] : undefined
  const headers = isHeaderReader(response?.['headers']) ? response['headers'] : NO_HEADERS
  const status = typeof error['statusCode'] === 'number' ? error['statusCode'] : undefined
  const said = headers.get('x-ms-error-code') ?? undefined
  // The SDK could not read the body, and says so in the place of what the service says.
  if (error['code'] === UNREAD_BODY) return { ...readHeaders(headers), status, code: said, reason: said ?? `status ${status}` }
  const code = innerCode(error['details']) ?? textOf(error['code']) ?? said
  return { ...readHeaders(headers), status, code, reason: firstLine(textOf(error['message']) ?? '') }
}

/** ARM wraps the real reason of a throttled call: `{code: OperationNotAllowed, details: [{code: TooManyRequests}]}`. */
function innerCode(details: unknown): string | undefined {
  const inner = isObject(details) && isObject(details['error']) ? details['error'] : details
  const list = isObject(inner) && Array.isArray(inner['details']) ? inner['details'] : []
  return list.some((detail) => isObject(detail) && detail['code'] === 'TooManyRequests') ? 'TooManyRequests' : undefined
}

const LRO_FAILED = /^The long-running operation has (?:failed|been canceled)(?:\. ([A-Za-z0-9]+)\. ([\s\S]*))?/

/** `@azure/core-lro` throws a bare Error with code and message in its text. */
function readPollerError(error: Readonly<Record<string, unknown>>): VendorError | undefined {
  const match = LRO_FAILED.exec(textOf(error['message']) ?? '')
  if (match === null) return undefined
  // 409: the service took the request and could not carry it out.
  return {
    ...readHeaders(NO_HEADERS),
    status: 409,
    code: match[1] ?? 'OperationFailed',
    reason: firstLine(match[2] ?? match[0]),
  }
}

function readTransportError(error: Readonly<Record<string, unknown>>): VendorError | undefined {
  const code = textOf(error['code'])
  if (
    code === undefined ||
    !/^(E[A-Z]{3,}|CERT_|UND_ERR_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_STREAM_PREMATURE)/.test(code)
  )
    return undefined
  return { ...readHeaders(NO_HEADERS), status: undefined, code, reason: firstLine(textOf(error['message']) ?? code) }
}

function readHeaders(
  headers: HeaderReader,
): Pick<VendorError, 'retryAfterMs' | 'requestId' | 'copySourceStatus' | 'copySourceCode' | 'wantedTenant'> {
  const copySourceStatus = Number(headers.get('x-ms-copy-source-status-code') ?? NaN)
  return {
    retryAfterMs: retryAfterMsOf(headers),
    requestId: headers.get('x-ms-request-id') ?? undefined,
    copySourceStatus: Number.isInteger(copySourceStatus) ? copySourceStatus : undefined,
    copySourceCode: headers.get('x-ms-copy-source-error-code') ?? undefined,
    wantedTenant: tenantOf(headers.get('www-authenticate')),
  }
}

/** `Bearer authorization_uri=https://login.microsoftonline.com/TENANT/oauth2/authorize …`, in quotes or not. */
function tenantOf(challenge: string | null | undefined): string | undefined {
  return /authorization(?:_uri)?="?https:\/\/[^/"\s]+\/([^/"\s,]+)/i.exec(challenge ?? '')?.[1]
}

/** Milliseconds of `Retry-After` (seconds or a date) or of its millisecond forms. */
export function retryAfterMsOf(headers: HeaderReader): number | undefined {
  for (const name of ['retry-after-ms', 'x-ms-retry-after-ms']) {
    const value = headers.get(name)
    if (typeof value === 'string' && /^\d+$/.test(value)) return Number(value)
  }
  const value = headers.get('retry-after')
  if (typeof value !== 'string') return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const waitMs = Date.parse(value) - Date.now()
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs)
}

const NO_HEADERS: HeaderReader = { get: () => undefined }

function firstLine(text: string): string {
  const [line = ''] = text.trim().split(/[\r\n]/)
  return line.replace(/\s*RequestId:.*$/, '').replace(/\.$/, '')
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isHeaderReader(value: unknown): value is HeaderReader {
  return isObject(value) && typeof value['get'] === 'function'
}
