/**
 * A server that plays scripted REST answers, for what a service says rarely or never by itself: damaged bodies,
 * throttling, lost answers. The product's clients talk to it as they come.
 *
 * With TLS it needs SNAPFERRY_TEST_CA_DIR, and this process must trust the CA in there; `npm test` sees to both.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { certificateAuthorityDirectory } from '../../support/environment.ts'
import { ensureAuthority } from '../../../simulator/tls/authority-directory.ts'
import { issueServerCertificate } from '../../../simulator/tls/certificates.ts'
import { listen } from '../../../simulator/tls/listen.ts'

export interface SeenRequest {
  readonly method: string
  /** Path and query, byte for byte as received. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Cuts the connection: before any answer, or in the middle of the body. */
  readonly cut?: 'before' | 'middle'
  readonly afterMs?: number
}

export interface ScriptedServer {
  /** `http://127.0.0.1:PORT` or `https://localhost:PORT`. */
  readonly origin: string
  readonly requests: readonly SeenRequest[]
  close(): Promise<void>
}

/** `script` is asked for every request; a list is played once, in order, its last answer repeated. */
export async function playScript(
  script: readonly Answer[] | ((request: SeenRequest, index: number) => Answer),
  { tls = false }: { readonly tls?: boolean } = {},
): Promise<ScriptedServer> {
  const requests: SeenRequest[] = []
  const listener = await listen(
    (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const seen = {
          method: request.method ?? '',
          path: request.url ?? '',
          headers: request.headers,
          body: Buffer.concat(chunks),
        }
        const index = requests.push(seen) - 1
        const answer =
          typeof script === 'function' ? script(seen, index) : (script[Math.min(index, script.length - 1)] ?? {})
        setTimeout(() => {
          if (answer.cut === 'before') return request.socket.destroy()
          const body = Buffer.from(answer.body ?? '')
          const isCut = answer.cut === 'middle'
          response.writeHead(answer.status ?? 200, { 'content-length': body.length, ...answer.headers })
          if (!isCut) return response.end(seen.method === 'HEAD' ? undefined : body)
          return response.write(body.subarray(0, body.length / 2), () => request.socket.destroy())
        }, answer.afterMs ?? 0).unref()
      })
    },
    { host: '127.0.0.1', port: 0, ...(tls ? { certificate: await certificate() } : {}) },
  )
  const origin = tls ? `https://localhost:${listener.port}` : `http://127.0.0.1:${listener.port}`
  return { origin, requests, close: () => listener.close() }
}

async function certificate() {
  const authority = await ensureAuthority(certificateAuthorityDirectory())
  return issueServerCertificate(authority, { dns: ['localhost'], ip: ['127.0.0.1'] })
}

/** An error of the storage service, as it comes. */
export function storageError(
  status: number,
  code: string,
  message = 'Something is wrong.',
  headers: Record<string, string> = {},
): Answer {
  return {
    status,
    headers: { 'x-ms-error-code': code, 'x-ms-request-id': 'r-1', 'content-type': 'application/xml', ...headers },
    body:
      `\uFEFF<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}\n` +
      'RequestId:r-1\nTime:2026-11-22T10:15:00.0000000Z</Message></Error>',
  }
}

/** An error of the resource manager. */
export function armError(
  status: number,
  code: string,
  message = 'Something is wrong.',
  headers: Record<string, string> = {},
): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify({ error: { code, message } }),
  }
}
