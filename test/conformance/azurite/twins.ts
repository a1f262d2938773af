/**
 * Sends each call to two blob services and gives what both answered, in the terms in which they can be equal.
 *
 * ETags, snapshot times and URLs differ between two services by nature. A call names them by symbols, which each service
 * resolves by what it itself has answered before.
 */
import { parsePageList } from '../support/blobs.ts'
import { send, STORAGE_VERSION, type Answer, type Method } from '../support/rest.ts'
import { signed, type AccountKey } from './shared-key.ts'

export interface Call {
  /** Name of the operation, for reports. */
  readonly operation: string
  readonly method: Method
  readonly blob: string
  readonly query?: string
  /** Values may hold `{etag}`, `{etag:BLOB}`, `{snapshot:LABEL}` and `{url:BLOB}`; so may the query. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Under which label a snapshot that this makes is remembered. */
  readonly makesSnapshot?: string
}

/** What must be equal. A refusal is told by status and code alone. */
export interface Outcome {
  readonly status: number
  readonly code?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly ranges?: readonly string[]
  readonly body?: string
}

export interface Twins {
  /** The outcomes in the order of the services. */
  call(call: Call): Promise<[Outcome, Outcome]>
}

export interface Service {
  readonly containerUrl: string
  readonly account: AccountKey
}

const COMPARED_HEADERS = [
  'content-length',
  'content-md5',
  'content-range',
  'content-type',
  'x-ms-blob-content-length',
  'x-ms-blob-content-md5',
  'x-ms-blob-sequence-number',
  'x-ms-blob-type',
  'x-ms-copy-status',
  'x-ms-lease-duration',
  'x-ms-lease-id',
  'x-ms-lease-state',
  'x-ms-lease-status',
  'x-ms-lease-time',
]

export function createTwins(first: Service, second: Service): Twins {
  const one = createEnd(first)
  const other = createEnd(second)
  return { call: (call) => Promise.all([one(call), other(call)]) }
}

/** One service with its memory of what the symbols mean to it. */
function createEnd({ containerUrl, account }: Service): (call: Call) => Promise<Outcome> {
  const etags = new Map<string, string>()
  const snapshots = new Map<string, string>()

  const resolve = (text: string, blob: string, encode: (value: string) => string): string =>
    text
      .replace(/\{etag(?::([^{}]*))?\}/g, (_, label?: string) => encode(etags.get(label ?? blob) ?? '"0x0"'))
      .replace(/\{snapshot:([^{}]*)\}/g, (_, label: string) => encode(snapshots.get(label) ?? '2020-01-01T00:00:00.0000000Z'))
      .replace(/\{url:([^{}]*)\}/g, (_, path: string) => `${containerUrl}/${path}`)

  return async (call) => {
    const query = call.query === undefined ? '' : `?${resolve(call.query, call.blob, encodeURIComponent)}`
    const url = `${containerUrl}/${call.blob}${query}`
    const headers = Object.entries(call.headers ?? {}).map(([name, value]) => [name, resolve(value, call.blob, (each) => each)])
    const length = call.method === 'PUT' ? { 'content-length': String(call.body?.length ?? 0) } : {}
    const all = { 'x-ms-version': STORAGE_VERSION, ...length, ...Object.fromEntries(headers) }
    const answer = await send(call.method, url, signed(account, call.method, url, all), call.body)

    const { etag, 'x-ms-snapshot': snapshot } = answer.headers
    const isOfBase = call.makesSnapshot === undefined && call.query?.includes('snapshot=') !== true
    if (answer.status < 300 && etag !== undefined && isOfBase) etags.set(call.blob, etag)
    if (call.makesSnapshot !== undefined && snapshot !== undefined) snapshots.set(call.makesSnapshot, snapshot)
    return outcomeOf(call, answer)
  }
}

function outcomeOf(call: Call, answer: Answer): Outcome {
  const { status, code, body } = answer
  if (status >= 300) return { status, ...(code === undefined ? {} : { code }) }
  if (call.query?.includes('comp=pagelist') === true) {
    return { status, headers: pick(answer.headers, ['x-ms-blob-content-length']), ranges: parsePageList(answer).ranges }
  }
  const names = Object.keys(answer.headers).filter((name) => name.startsWith('x-ms-meta-'))
  // A success without content tells its length on one service and not on the other; only that of a blob means something.
  const compared = ['GET', 'HEAD'].includes(call.method) ? COMPARED_HEADERS : COMPARED_HEADERS.filter((name) => name !== 'content-length')
  return { status, headers: pick(answer.headers, [...compared, ...names.toSorted()]), body: body.toString('base64') }
}

function pick(headers: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])))
}
