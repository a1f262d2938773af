import { BufferPool } from '../buffer-pool.ts'
import { parseByteRange, rangeLength, type ClosedRange } from '../byte-range.ts'
import { SOURCE_CHECKSUMS, verifyChecksum } from '../checksums.ts'
import { readCopySource } from '../copy-source.ts'
import { crc64Base64 } from '../crc64.ts'
import type { BlobLimits } from '../limits.ts'
import { WRITE_PAGES, type Operation, type OperationContext } from '../operation.ts'
import type { Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { requirePageRange, requireWritable, writePages } from './put-page.ts'

/** Put Page From URL: a server-side copy of at most 4 MiB from a range of any readable URL into pages of the blob. */
export const putPageFromUrlOperation: Operation = {
  name: 'PutPageFromUrl',
  method: 'PUT',
  levels: ['blob'],
  comp: 'page',
  when: (request) => request.header('x-ms-copy-source') !== undefined,
  access: WRITE_PAGES,
  run: putPageFromUrl,
}

const buffers = new BufferPool()
const FIRST_VERSION = '2018-11-09'

async function putPageFromUrl(context: OperationContext): Promise<Reply> {
  const { request, service } = context
  if (!request.isVersionAtLeast(FIRST_VERSION)) {
    throw new StorageError('UnsupportedHeader', { reason: `x-ms-copy-source needs version ${FIRST_VERSION}` })
  }
  if (request.contentLength() !== 0) throw new StorageError('InvalidHeaderValue', { reason: 'Content-Length' })
  if ((request.header('x-ms-page-write') ?? 'update').toLowerCase() !== 'update') {
    throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-page-write' })
  }
  const range = requirePageRange(request)
  const source = requireSourceRange(context)
  if (rangeLength(range) !== rangeLength(source)) {
    throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-source-range differs in length from the range' })
  }
  if (rangeLength(range) > service.limits.maxPageWriteBytes) throw new StorageError('RequestBodyTooLarge')
  requireWritable(context, range)
  const buffer = buffers.take(rangeLength(range))
  try {
    const data = await readCopySource(context, source, buffer)
    const checksum = verifyChecksum(request, data, SOURCE_CHECKSUMS)
    context.countCopiedBytes(data.length)
    return await writePages(context, range, data, toldOf(service.limits.copyChecksum, checksum))
  } finally {
    buffers.giveBack(buffer)
  }
}

function toldOf(told: BlobLimits['copyChecksum'], checksum: Record<string, string>): Record<string, string> {
  if (told === 'crc64' || checksum['x-ms-content-crc64'] === undefined) return checksum
  return told === 'none' ? {} : { 'x-ms-content-crc64': crc64Base64(Buffer.from(checksum['x-ms-content-crc64'])) }
}

function requireSourceRange({ request }: OperationContext): ClosedRange {
  const { startBytes, endBytes } = parseByteRange(request.requireHeader('x-ms-source-range'))
  if (endBytes === undefined) throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-source-range' })
  return { startBytes, endBytes }
}
