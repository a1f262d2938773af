import type { ClosedRange } from '../byte-range.ts'
import { rangeLength } from '../byte-range.ts'
import { BODY_CHECKSUMS, verifyChecksum } from '../checksums.ts'
import { checkSequenceNumber } from '../conditions.ts'
import { WRITE_PAGES, type Operation, type OperationContext } from '../operation.ts'
import type { BlobRequest } from '../blob-request.ts'
import type { Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { PAGE_BYTES } from '../../store/volume.ts'
import {
  pageWriteTarget,
  replaceState,
  sequenceNumberHeader,
  validatorHeaders,
  type PageWriteTarget,
} from './lookup.ts'

/** Put Page: update (at most 4 MiB) and clear (any length). */
export const putPageOperations: readonly Operation[] = [
  {
    name: 'ClearPages',
    method: 'PUT',
    levels: ['blob'],
    comp: 'page',
    when: (request) => request.header('x-ms-page-write')?.toLowerCase() === 'clear',
    access: WRITE_PAGES,
    run: clearPages,
  },
  { name: 'PutPage', method: 'PUT', levels: ['blob'], comp: 'page', access: WRITE_PAGES, run: putPage },
]

async function putPage(context: OperationContext): Promise<Reply> {
  const { request, account, service } = context
  if (request.requireHeader('x-ms-page-write').toLowerCase() !== 'update') {
    throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-page-write' })
  }
  if (account.kind === 'ManagedDisk' && request.header('content-md5') !== undefined) {
    throw new StorageError('UnsupportedHeader', { reason: 'Content-MD5' })
  }
  const range = requirePageRange(request)
  if (rangeLength(range) > service.limits.maxPageWriteBytes) throw new StorageError('RequestBodyTooLarge')
  if (request.contentLength() !== rangeLength(range)) {
    throw new StorageError('InvalidHeaderValue', { reason: 'Content-Length differs from the range' })
  }
  requireWritable(context, range)
  const data = await request.body(service.limits.maxPageWriteBytes)
  const checksum = verifyChecksum(request, data, BODY_CHECKSUMS)
  return writePages(context, range, data, checksum)
}

function clearPages(context: OperationContext): Reply {
  const { request } = context
  if (request.contentLength() !== 0) throw new StorageError('InvalidHeaderValue', { reason: 'Content-Length' })
  const range = requirePageRange(request)
  const target = requireWritable(context, range)
  target.volume.clear(range.startBytes, rangeLength(range))
  return pagesChanged(context, target, {})
}

/** The end of Put Page and Put Page From URL: checks again, since time has passed, and writes. */
export async function writePages(
  context: OperationContext,
  range: ClosedRange,
  data: Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<Reply> {
  const target = requireWritable(context, range)
  const written = target.volume.write(range.startBytes, context.alterWritten(data))
  const reply = pagesChanged(context, target, headers)
  await written
  return reply
}

/** @throws StorageError when the blob, a condition, the lease or the range forbid the write. */
export function requireWritable(context: OperationContext, range: ClosedRange): PageWriteTarget {
  const target = pageWriteTarget(context)
  checkSequenceNumber(context.request, target.state.sequenceNumber)
  if (range.endBytes >= target.volume.sizeBytes) throw new StorageError('InvalidPageRange')
  return target
}

/** The range of a page write: closed, and whole pages. @throws StorageError MissingRequiredHeader, InvalidPageRange */
export function requirePageRange(request: BlobRequest): ClosedRange {
  const range = request.range()
  if (range === undefined) throw new StorageError('MissingRequiredHeader', { reason: 'Range' })
  const { startBytes, endBytes } = range
  const isWholePages = endBytes !== undefined && startBytes % PAGE_BYTES === 0 && (endBytes + 1) % PAGE_BYTES === 0
  if (!isWholePages) throw new StorageError('InvalidPageRange')
  return { startBytes, endBytes }
}

function pagesChanged(
  context: OperationContext,
  { blob, state }: PageWriteTarget,
  headers: Readonly<Record<string, string>>,
): Reply {
  const changed = replaceState(context, blob, state)
  return {
    status: 201,
    headers: {
      ...validatorHeaders(changed),
      ...sequenceNumberHeader(changed),
      'x-ms-request-server-encrypted': 'true',
      ...headers,
    },
  }
}
