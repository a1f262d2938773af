import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { rangeLength } from './byte-range.ts'
import { BlobRequest } from './blob-request.ts'
import { hasConditions } from './conditions.ts'
import type { BlobServiceState, Operation } from './operation.ts'
import { findOperation } from './operations/table.ts'
import { errorReply, sendReply, type Reply, type ReplyFrame } from './reply.ts'
import { ConnectionDropped, type OperationCall, type ServiceHooks } from './service-hooks.ts'
import type { StatsCounter } from './service-stats.ts'
import { StorageError } from './storage-error.ts'

/** The way of every request: parse, find the operation, hooks, rights, operation, answer, count. */

const UNKNOWN_OPERATION = 'Unknown'

export function createRequestHandler(
  service: BlobServiceState,
  counter: StatsCounter,
  currentHooks: () => ServiceHooks,
): (incoming: IncomingMessage, response: ServerResponse) => void {
  return (incoming, response) => {
    // What still fails here is a connection that is gone; nobody is left to tell.
    serve(incoming, response).catch(() => response.destroy())
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const hooks = currentHooks()
    let request: BlobRequest | undefined
    let operation: Operation | undefined
    let reply: Reply | undefined
    let failure: StorageError | undefined
    let call: OperationCall | undefined
    try {
      request = BlobRequest.fromIncoming(incoming)
      operation = findOperation(request)
      call = describeCall(request, operation)
      if (hooks.before !== undefined) await hooks.before(call)
      reply = await execute(request, operation)
    } catch (error) {
      failure = asStorageError(error)
    }
    if (call !== undefined && hooks.after !== undefined) {
      try {
        await hooks.after(call, { status: failure?.status ?? reply?.status ?? 0, errorCode: failure?.code })
      } catch (error) {
        failure = asStorageError(error)
      }
    }
    counter.countRequest(operation?.name ?? UNKNOWN_OPERATION, failure?.code)
    const frame = frameOf(service, incoming, request)
    const sent =
      failure !== undefined || reply === undefined
        ? errorReply(failure ?? new StorageError('InternalError'), frame, request)
        : reply
    const sentBytes = await sendReply(response, frame, sent)
    if (request !== undefined) {
      const received = failure === undefined ? (request.numberHeader('content-length') ?? 0) : 0
      counter.countBytes(request.accountName, { received, sent: sentBytes })
    }
  }

  async function execute(request: BlobRequest, operation: Operation): Promise<Reply> {
    const account = service.publications.account(request.accountName) ?? service.accounts.get(request.accountName)
    const caller = service.authorize(request, account, operation.access)
    if (account === undefined) throw new StorageError('ResourceNotFound')
    if (account.kind === 'ManagedDisk') refuseConditions(request)
    return operation.run({
      request,
      account,
      caller,
      service,
      countCopiedBytes: (bytes) => counter.countBytes(account.name, { copied: bytes }),
    })
  }
}

/**
 * Managed disks know no access conditions. What Azure does with one is not documented; refusing it is this service's
 * own strictness, so that nobody relies on a condition that is not there.
 */
function refuseConditions(request: BlobRequest): void {
  const hasSequenceCondition = ['le', 'lt', 'eq'].some(
    (kind) => request.header(`x-ms-if-sequence-number-${kind}`) !== undefined,
  )
  if (hasConditions(request, 'target') || hasSequenceCondition) {
    throw new StorageError('UnsupportedHeader', { reason: 'conditional headers on a managed disk' })
  }
}

function describeCall(request: BlobRequest, operation: Operation): OperationCall {
  const range = request.header('x-ms-copy-source') === undefined ? undefined : request.range()
  const copied =
    range?.endBytes === undefined ? 0 : rangeLength({ startBytes: range.startBytes, endBytes: range.endBytes })
  return {
    operation: operation.name,
    account: request.accountName,
    container: request.containerName,
    blob: request.blobName,
    bytes: Math.max(copied, request.numberHeader('content-length') ?? 0),
  }
}

function frameOf(service: BlobServiceState, incoming: IncomingMessage, request: BlobRequest | undefined): ReplyFrame {
  const clientRequestId = incoming.headers['x-ms-client-request-id']
  return {
    requestId: randomUUID(),
    now: service.clock.now(),
    version: request?.version ?? '',
    clientRequestId: typeof clientRequestId === 'string' ? clientRequestId : undefined,
  }
}

/** Faults of our own are told as the service tells them. @throws ConnectionDropped */
function asStorageError(error: unknown): StorageError {
  if (error instanceof ConnectionDropped) throw error
  return error instanceof StorageError ? error : new StorageError('InternalError', { reason: String(error) })
}
