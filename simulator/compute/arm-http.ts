import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ArmReply } from './arm-call.ts'
import { ArmError, errorBody } from './arm-error.ts'

/** HTTP of the resource manager: bodies in, answers out, with the headers that every answer of ARM carries. */

/** ARM refuses larger requests (learn.microsoft.com, Azure Resource Manager, "Request limits and throttling"). */
const MAX_BODY_BYTES = 4 * 1024 * 1024

/**
 * The parsed JSON body; undefined when there is none.
 * @throws ArmError 400 InvalidRequestContent, 413 RequestEntityTooLarge
 */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let totalBytes = 0
  for await (const chunk of request) {
    const bytes = chunk as Buffer
    totalBytes += bytes.length
    if (totalBytes > MAX_BODY_BYTES) throw new ArmError(413, 'RequestEntityTooLarge', 'The request is too large.')
    chunks.push(bytes)
  }
  if (totalBytes === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch {
    throw new ArmError(400, 'InvalidRequestContent', 'The request content was invalid and could not be deserialized.')
  }
}

/** Sends the answer. */
export function sendReply(request: IncomingMessage, response: ServerResponse, reply: ArmReply): void {
  const text = reply.body === undefined ? '' : JSON.stringify(reply.body)
  const requestId = randomUUID()
  const clientRequestId = request.headers['x-ms-client-request-id']
  response.writeHead(reply.status, {
    'cache-control': 'no-cache',
    'x-ms-request-id': requestId,
    'x-ms-correlation-request-id': requestId,
    ...(typeof clientRequestId === 'string' ? { 'x-ms-client-request-id': clientRequestId } : {}),
    ...(text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    ...(reply.status === 204 ? {} : { 'content-length': Buffer.byteLength(text) }),
    ...reply.headers,
  })
  response.end(text)
}

/** The answer for anything thrown: an ArmError as it is, all else as 500 InternalServerError. */
export function replyOf(error: unknown): ArmReply {
  const armError =
    error instanceof ArmError
      ? error
      : new ArmError(500, 'InternalServerError', error instanceof Error ? error.message : String(error))
  return { status: armError.status, headers: armError.headers, body: errorBody(armError) }
}
