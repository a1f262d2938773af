/** Raw requests, as the REST reference writes them: no SDK, no retries, no headers that a test did not ask for or see here. */
import type { TokenCredential } from '@azure/identity'
import { request, type Dispatcher } from 'undici'

export type Method = Dispatcher.HttpMethod

export interface Answer {
  readonly status: number
  /** `x-ms-error-code`, or `error.code` of a body of the resource manager. */
  readonly code: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface BlobCall {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  /** Default: a token of the place's credential. `none` for URLs that carry a SAS. */
  readonly authorization?: 'token' | 'none'
}

/** The first version with paged page lists, and with bearer tokens for copy sources. */
export const STORAGE_VERSION = '2021-12-02'

const STORAGE_SCOPE = 'https://storage.azure.com/.default'

/** One request to a blob service. `x-ms-version` may be replaced. */
export async function callBlob(credential: TokenCredential, method: Method, url: string, call: BlobCall = {}): Promise<Answer> {
  const { headers = {}, body, authorization = 'token' } = call
  const bearer = authorization === 'none' ? {} : { authorization: await bearerToken(credential, STORAGE_SCOPE) }
  // The service demands a length of every PUT; undici leaves that of an empty body out.
  const length = method === 'PUT' && body === undefined ? { 'content-length': '0' } : {}
  return send(method, url, { 'x-ms-version': STORAGE_VERSION, ...length, ...bearer, ...headers }, body)
}

/** One request to a resource manager; `body` goes as JSON. */
export async function callArm(credential: TokenCredential, method: Method, url: string, body?: unknown): Promise<Answer> {
  const authorization = await bearerToken(credential, 'https://management.azure.com/.default')
  const content = body === undefined ? undefined : JSON.stringify(body)
  const length = method === 'POST' && content === undefined ? { 'content-length': '0' } : {}
  return send(method, url, { authorization, ...length, ...(content === undefined ? {} : { 'content-type': 'application/json' }) }, content)
}

export async function send(
  method: Method,
  url: string,
  headers: Readonly<Record<string, string>>,
  body?: Buffer | string,
): Promise<Answer> {
  const response = await request(url, { method, headers, body: body ?? null })
  const received = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]))
  const content = Buffer.from(await response.body.arrayBuffer())
  return {
    status: response.statusCode,
    code: received['x-ms-error-code'] ?? armErrorCode(received, content),
    headers: received,
    body: content,
  }
}

/** Adds to the query of a URL that may have one. */
export function withQuery(url: string, query: string): string {
  if (query === '') return url
  return `${url}${url.includes('?') ? '&' : '?'}${query}`
}

export function jsonOf({ body }: Answer): unknown {
  return JSON.parse(body.toString('utf8'))
}

async function bearerToken(credential: TokenCredential, scope: string): Promise<string> {
  const token = await credential.getToken(scope)
  if (token === null) throw new Error(`there is no token for ${scope}`)
  return `Bearer ${token.token}`
}

function armErrorCode(headers: Readonly<Record<string, string>>, content: Buffer): string | undefined {
  if (content.length === 0 || headers['content-type']?.startsWith('application/json') !== true) return undefined
  const parsed = JSON.parse(content.toString('utf8')) as { code?: string; error?: { code?: string } } | null
  return parsed?.error?.code ?? parsed?.code
}
