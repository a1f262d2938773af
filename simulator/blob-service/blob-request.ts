import type { IncomingMessage } from 'node:http'
import { parseByteRange, type ByteRange } from './byte-range.ts'
import { StorageError } from './storage-error.ts'

/**
 * One request to the blob service, taken apart: who is addressed (path style, `/account/container/blob`), and typed
 * access to query, headers and body. It judges syntax only, nothing about accounts or rights.
 */

export type ResourceLevel = 'account' | 'container' | 'blob'

export interface RequestParts {
  readonly method: string
  /** Path and query, still percent-encoded. */
  readonly target: string
  /** Keys in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly isSecure: boolean
  readonly remoteAddress: string
}

const MAX_KEPT_BODY_BYTES = 4 * 2 ** 20
const VERSION = /^\d{4}-\d\d-\d\d$/
/** What an unversioned request without a SAS means to the service. */
const OLDEST_VERSION = '2009-09-19'

export class BlobRequest {
  readonly method: string
  readonly isSecure: boolean
  readonly remoteAddress: string
  readonly headers: ReadonlyMap<string, string>
  /** Percent-encoded path, for signatures. */
  readonly encodedPath: string
  readonly query: URLSearchParams
  readonly accountName: string
  readonly containerName: string
  readonly blobName: string
  readonly level: ResourceLevel
  /** `x-ms-version`, else the version of the SAS, else the oldest. */
  readonly version: string
  readonly #incoming: IncomingMessage | undefined
  #keptBody: Buffer | undefined

  constructor(parts: RequestParts, incoming?: IncomingMessage) {
    this.method = parts.method
    this.isSecure = parts.isSecure
    this.remoteAddress = parts.remoteAddress
    this.headers = parts.headers
    this.#incoming = incoming
    const mark = parts.target.indexOf('?')
    this.encodedPath = mark < 0 ? parts.target : parts.target.slice(0, mark)
    this.query = parseQuery(mark < 0 ? '' : parts.target.slice(mark + 1))
    const [accountName, containerName, blobName] = splitPath(this.encodedPath)
    this.accountName = accountName
    this.containerName = containerName
    this.blobName = blobName
    this.level = blobName !== '' ? 'blob' : containerName !== '' ? 'container' : 'account'
    this.version = this.header('x-ms-version') ?? this.query.get('sv') ?? OLDEST_VERSION
    if (!VERSION.test(this.version)) throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-version' })
  }

  static fromIncoming(incoming: IncomingMessage): BlobRequest {
    return new BlobRequest(
      {
        method: incoming.method ?? 'GET',
        target: incoming.url ?? '/',
        headers: readHeaders(incoming.headers),
        isSecure: 'encrypted' in incoming.socket,
        remoteAddress: incoming.socket.remoteAddress ?? '',
      },
      incoming,
    )
  }

  header(name: string): string | undefined {
    return this.headers.get(name)
  }

  /** @throws StorageError MissingRequiredHeader */
  requireHeader(name: string): string {
    const value = this.header(name)
    if (value === undefined) throw new StorageError('MissingRequiredHeader', { reason: name })
    return value
  }

  /** A whole number that is not negative. @throws StorageError InvalidHeaderValue */
  numberHeader(name: string): number | undefined {
    const text = this.header(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
      throw new StorageError('InvalidHeaderValue', { reason: name })
    return value
  }

  /** A number of the query that is at least 1. @throws StorageError */
  countParameter(name: string): number | undefined {
    const text = this.query.get(name)
    if (text === null) return undefined
    if (!/^-?\d+$/.test(text)) throw new StorageError('InvalidQueryParameterValue', { reason: name })
    if (Number(text) < 1) throw new StorageError('OutOfRangeQueryParameterValue', { reason: name })
    return Number(text)
  }

  /** `x-ms-range` goes before `Range`. */
  range(): ByteRange | undefined {
    const text = this.header('x-ms-range') ?? this.header('range')
    return text === undefined ? undefined : parseByteRange(text)
  }

  isVersionAtLeast(version: string): boolean {
    return this.version >= version
  }

  /** Metadata with the case of the names as sent. */
  rawHeaderPairs(): [name: string, value: string][] {
    const raw = this.#incoming?.rawHeaders ?? []
    return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? ''])
  }

  /** @throws StorageError MissingContentLengthHeader (411) for a chunked body. */
  contentLength(): number {
    const length = this.numberHeader('content-length')
    if (length === undefined) throw new StorageError('MissingContentLengthHeader')
    return length
  }

  /**
   * The body in pieces, each `pieceBytes` long except the last.
   *
   * Ends with an error when the client goes away early, so that half a body is never taken for a whole one.
   */
  async *bodyPieces(pieceBytes: number): AsyncGenerator<Buffer> {
    if (this.#keptBody !== undefined) {
      for (let start = 0; start < this.#keptBody.length; start += pieceBytes) {
        yield this.#keptBody.subarray(start, start + pieceBytes)
      }
      return
    }
    let left = this.contentLength()
    let piece = Buffer.allocUnsafe(Math.min(left, pieceBytes))
    let filled = 0
    if (this.#incoming === undefined || left === 0) return
    for await (const chunk of this.#incoming as AsyncIterable<Buffer>) {
      for (let taken = 0; taken < chunk.length;) {
        const count = chunk.copy(piece, filled, taken)
        taken += count
        filled += count
        left -= count
        if (filled < piece.length) continue
        yield piece
        piece = Buffer.allocUnsafe(Math.min(left, pieceBytes))
        filled = 0
      }
    }
    if (left > 0) throw new StorageError('InvalidInput', { reason: 'The body ended before its Content-Length.' })
  }

  /** Reads the body now, so that it can be had more than once. One that is larger than a write of pages is left. */
  async keepBody(): Promise<void> {
    const length = this.numberHeader('content-length') ?? 0
    if (length <= MAX_KEPT_BODY_BYTES) this.#keptBody = await this.body(length)
  }

  /** @throws StorageError RequestBodyTooLarge (413), before a byte is read. */
  async body(maxBytes: number): Promise<Buffer> {
    const length = this.contentLength()
    if (length > maxBytes) throw new StorageError('RequestBodyTooLarge')
    let whole: Buffer = Buffer.alloc(0)
    for await (const piece of this.bodyPieces(length)) whole = piece
    return whole
  }
}

function readHeaders(headers: IncomingMessage['headers']): Map<string, string> {
  const map = new Map<string, string>()
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) map.set(name, Array.isArray(value) ? value.join(',') : value)
  }
  return map
}

/** Unlike a form, a SAS may hold a bare `+`, which means itself. */
function parseQuery(text: string): URLSearchParams {
  return new URLSearchParams(text.replaceAll('+', '%2B'))
}

function splitPath(encodedPath: string): [account: string, container: string, blob: string] {
  const [, account = '', container = '', ...rest] = encodedPath.split('/')
  try {
    return [decodeURIComponent(account), decodeURIComponent(container), decodeURIComponent(rest.join('/'))]
  } catch {
    throw new StorageError('InvalidUri')
  }
}
