import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ConnectionDropped } from '../faults/connection-dropped.ts'
import { rangeLength } from './byte-range.ts'
import { BlobRequest } from './blob-request.ts'
import { hasConditions } from './conditions.ts'
import { flipByte, withFlippedByte } from './damage.ts'
import type { BlobServiceState, Operation } from './operation.ts'
import { findOperation } from './operations/table.ts'
import { errorReply, sendReply, sendReplyUpTo, type Reply, type ReplyFrame } from './reply.ts'
import type { Fate, LateExecution, OperationCall, OperationOutcome, ServiceHooks } from './service-hooks.ts'
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
    // What still fails here is a connection that is gone, or that a fault ends; nobody is left to tell.
    serve(incoming, response).catch(() => response.destroy())
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const hooks = currentHooks()
    let request: BlobRequest | undefined
    let operation: Operation | undefined
    let call: OperationCall | undefined
    let fate: Fate | undefined
    let result: Reply | StorageError
    try {
      request = BlobRequest.fromIncoming(incoming)
      operation = findOperation(request)
      call = describeCall(request, operation)
      fate = (await hooks.before?.(call)) ?? undefined
      result = await carryOut(request, operation, fate)
    } catch (error) {
      result = asStorageError(error)
    }
    if (call !== undefined) {
      try {
        await hooks.after?.(call, outcomeOf(result))
        await meetFate(fate)
      } catch (error) {
        result = asStorageError(error)
      }
    }
    counter.countRequest(operation?.name ?? UNKNOWN_OPERATION, outcomeOf(result).errorCode)
    const frame = frameOf(service, incoming, request)
    const sentBytes = await answer(response, frame, request, result, fate)
    if (request !== undefined && isAccount(request.accountName)) {
      const received = result instanceof StorageError ? 0 : (request.numberHeader('content-length') ?? 0)
      counter.countBytes(request.accountName, { received, sent: sentBytes })
    }
  }

  /** Any name may be asked for; only those that are there are counted by. */
  function isAccount(name: string): boolean {
    return service.accounts.has(name) || service.publications.account(name) !== undefined
  }

  /** Now, or later, or both. */
  async function carryOut(request: BlobRequest, operation: Operation, fate: Fate | undefined): Promise<Reply> {
    const late = fate?.late
    if (late === undefined) return execute(request, operation, fate)
    // The body comes but once; what is carried out later needs it still.
    await request.keepBody()
    if (late.original === 'lost') {
      executeLate(request, operation, late)
      throw new ConnectionDropped()
    }
    const reply = await execute(request, operation, fate)
    executeLate(request, operation, late)
    return reply
  }

  function executeLate(request: BlobRequest, operation: Operation, late: LateExecution): void {
    const run = async (): Promise<void> => {
      const result = await execute(request, operation, undefined).catch(asStorageError)
      late.report(outcomeOf(result))
    }
    // A connection that a late request opens ends with its answer, which nobody gets.
    setTimeout(() => void run().catch(() => {}), late.delayMs).unref()
  }

  async function execute(request: BlobRequest, operation: Operation, fate: Fate | undefined): Promise<Reply> {
    service.pendingCopies.settle()
    const account = service.publications.account(request.accountName) ?? service.accounts.get(request.accountName)
    const caller = service.authorize(request, account, operation.access)
    if (account === undefined) throw new StorageError('ResourceNotFound')
    if (account.kind === 'ManagedDisk') refuseConditions(request)
    const flipAt = fate?.flipByteAt
    return operation.run({
      request,
      account,
      caller,
      service,
      countCopiedBytes: (bytes) => counter.countBytes(account.name, { copied: bytes }),
      alterWritten: (data) => (flipAt === undefined ? data : flipByte(data, flipAt)),
    })
  }
}

/** Gives the bytes of body that went out. */
async function answer(
  response: ServerResponse,
  frame: ReplyFrame,
  request: BlobRequest | undefined,
  result: Reply | StorageError,
  fate: Fate | undefined,
): Promise<number> {
  const whole = result instanceof StorageError ? errorReply(result, frame, request) : result
  const reply = fate?.flipByteAt === undefined ? whole : withFlippedByte(whole, fate.flipByteAt)
  if (fate?.cutBodyAfterBytes === undefined) return sendReply(response, frame, reply)
  return sendReplyUpTo(response, frame, reply, fate.cutBodyAfterBytes)
}

/** @throws ConnectionDropped */
async function meetFate(fate: Fate | undefined): Promise<void> {
  const waitMs = fate?.waitAfterMs
  if (waitMs !== undefined) await new Promise((resolve) => setTimeout(resolve, waitMs))
  if (fate?.dropAfter === true) throw new ConnectionDropped()
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
  return {
    operation: operation.name,
    account: request.accountName,
    container: request.containerName,
    blob: request.blobName,
    bytes: Math.max(movedBytes(request, operation), request.numberHeader('content-length') ?? 0),
    request,
  }
}

/** Bytes that move without being in the body of the request. */
function movedBytes(request: BlobRequest, operation: Operation): number {
  const isMoving = request.header('x-ms-copy-source') !== undefined || operation.name === 'GetBlob'
  const range = isMoving ? request.range() : undefined
  return range?.endBytes === undefined ? 0 : rangeLength({ startBytes: range.startBytes, endBytes: range.endBytes })
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

function outcomeOf(result: Reply | StorageError): OperationOutcome {
  return { status: result.status, errorCode: result instanceof StorageError ? result.code : undefined }
}

/** Faults of our own are told as the service tells them. @throws ConnectionDropped */
function asStorageError(error: unknown): StorageError {
  if (error instanceof ConnectionDropped) throw error
  return error instanceof StorageError ? error : new StorageError('InternalError', { reason: String(error) })
}
