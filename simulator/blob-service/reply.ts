import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { BlobRequest } from './blob-request.ts'
import { httpTime } from './http-time.ts'
import type { StorageError } from './storage-error.ts'
import { xmlDocument, xmlElement, xmlText } from './xml.ts'

/** What an operation answers, and how that goes out. */
export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Pieces of a large body are sent as they come and as fast as the client takes them. */
  readonly body?: Buffer | string | AsyncIterable<Buffer>
}

/** Headers that every answer carries. */
export interface ReplyFrame {
  readonly requestId: string
  readonly now: Date
  readonly version: string
  readonly clientRequestId: string | undefined
}

/** Gives the bytes of body sent. Rejects when the client goes away or a piece cannot be read. */
export async function sendReply(response: ServerResponse, frame: ReplyFrame, reply: Reply): Promise<number> {
  const body = reply.body ?? ''
  const isStream = typeof body !== 'string' && !Buffer.isBuffer(body)
  const bodyBytes = isStream ? undefined : Buffer.byteLength(body)
  response.writeHead(reply.status, headersOf(frame, reply, bodyBytes))
  if (!isStream) {
    response.end(body)
    return bodyBytes ?? 0
  }
  let sentBytes = 0
  await pipeline(
    body,
    async function* counted(pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        sentBytes += piece.length
        yield piece
      }
    },
    response,
  )
  return sentBytes
}

/**
 * Begins an answer as `sendReply` does, and ends the connection behind so many bytes of its body. Gives the bytes of
 * body that went out.
 */
export async function sendReplyUpTo(
  response: ServerResponse,
  frame: ReplyFrame,
  reply: Reply,
  limitBytes: number,
): Promise<number> {
  const { body = '' } = reply
  const pieces = typeof body === 'string' || Buffer.isBuffer(body) ? [Buffer.from(body)] : body
  const lengthBytes = typeof body === 'string' || Buffer.isBuffer(body) ? Buffer.byteLength(body) : undefined
  response.writeHead(reply.status, headersOf(frame, reply, lengthBytes))
  let sentBytes = 0
  for await (const piece of pieces) {
    const part = piece.subarray(0, limitBytes - sentBytes)
    // Ending the connection would take along what has not reached the system yet.
    await new Promise((resolve) => response.write(part, resolve))
    sentBytes += part.length
    if (sentBytes >= limitBytes) break
  }
  response.destroy()
  return sentBytes
}

/** An error as the service words it: code in a header and in an XML body; a HEAD has no body. */
export function errorReply(error: StorageError, frame: ReplyFrame, request: BlobRequest | undefined): Reply {
  const message = `${error.message}\nRequestId:${frame.requestId}\nTime:${frame.now.toISOString()}`
  const isAuthentication = error.code === 'AuthenticationFailed'
  const body = xmlDocument(
    xmlElement(
      'Error',
      xmlText('Code', error.code) +
        xmlText('Message', message) +
        xmlText(isAuthentication ? 'AuthenticationErrorDetail' : 'ReasonDetail', error.reason),
    ),
  )
  const headers = { 'x-ms-error-code': error.code, ...error.headers }
  if (request?.method === 'HEAD' || error.status === 304) return { status: error.status, headers }
  return { status: error.status, headers: { ...headers, 'Content-Type': 'application/xml' }, body }
}

export function xmlReply(root: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, headers: { 'Content-Type': 'application/xml', ...headers }, body: xmlDocument(root) }
}

/** The length of a stream is told by the operation, or not at all. */
function headersOf(frame: ReplyFrame, reply: Reply, bodyBytes: number | undefined): Record<string, string> {
  const hasLength =
    bodyBytes === undefined || reply.headers?.['Content-Length'] !== undefined || reply.status === 304
  return {
    Server: 'Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0',
    ...(hasLength ? {} : { 'Content-Length': String(bodyBytes) }),
    'x-ms-request-id': frame.requestId,
    'x-ms-version': frame.version,
    Date: httpTime(frame.now),
    ...(frame.clientRequestId === undefined ? {} : { 'x-ms-client-request-id': frame.clientRequestId }),
    ...reply.headers,
  }
}
