import { clipRange, rangeLength, type ClosedRange } from '../byte-range.ts'
import { md5Base64 } from '../checksums.ts'
import { crc64Base64 } from '../crc64.ts'
import { contentLength, readContent, type BlobState } from '../model/blob.ts'
import { READ_BLOB, type Operation, type OperationContext } from '../operation.ts'
import type { Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { stateHeaders } from './blob-headers.ts'
import { readTarget } from './lookup.ts'

/** Get Blob (whole or a range, of a base or a snapshot), Get Blob Properties, Get Blob Metadata. */

const PIECE_BYTES = 4 * 2 ** 20
const MAX_CHECKSUM_RANGE_BYTES = 4 * 2 ** 20

export const getBlobOperations: readonly Operation[] = [
  { name: 'GetBlob', method: 'GET', levels: ['blob'], access: READ_BLOB, run: getBlob },
  { name: 'GetBlobProperties', method: 'HEAD', levels: ['blob'], access: READ_BLOB, run: getProperties },
  { name: 'GetBlobMetadata', method: 'GET', levels: ['blob'], comp: 'metadata', access: READ_BLOB, run: getProperties },
  {
    name: 'GetBlobMetadata',
    method: 'HEAD',
    levels: ['blob'],
    comp: 'metadata',
    access: READ_BLOB,
    run: getProperties,
  },
]

function getProperties(context: OperationContext): Reply {
  const { blob, state, isSnapshot } = readTarget(context)
  const nowMs = context.service.clock.now().getTime()
  const headers = stateHeaders(context.account, blob, state, isSnapshot, nowMs)
  const length = context.request.method === 'HEAD' ? contentLength(state) : 0
  return { status: 200, headers: { ...headers, 'Content-Length': String(length) } }
}

async function getBlob(context: OperationContext): Promise<Reply> {
  const { request, account, service } = context
  const { blob, state, isSnapshot } = readTarget(context)
  if (isSnapshot && account.isPremium && state.type === 'PageBlob') throw new StorageError('BlobOperationNotSupported')
  const sizeBytes = contentLength(state)
  const asked = request.range()
  const range = clipRange(asked, sizeBytes)
  const headers = {
    ...stateHeaders(account, blob, state, isSnapshot, service.clock.now().getTime()),
    'Content-Length': String(rangeLength(range)),
  }
  // What is read is settled now: a base page blob may change while its bytes go out.
  const source: BlobState =
    state.type === 'PageBlob' && 'freeze' in state.pages ? { ...state, pages: state.pages.freeze() } : state
  if (asked === undefined) {
    requireNoRangeChecksum(context)
    return { status: 200, headers, body: await bodyOf(source, range) }
  }
  const { 'Content-MD5': wholeMd5, ...rangeHeaders } = headers as Record<string, string>
  const partial = {
    ...rangeHeaders,
    ...(wholeMd5 === undefined ? {} : { 'x-ms-blob-content-md5': wholeMd5 }),
    'Content-Range': `bytes ${range.startBytes}-${range.endBytes}/${sizeBytes}`,
  }
  const wantsMd5 = isTrue(context, 'x-ms-range-get-content-md5')
  const wantsCrc64 = isTrue(context, 'x-ms-range-get-content-crc64')
  if (!wantsMd5 && !wantsCrc64) return { status: 206, headers: partial, body: await bodyOf(source, range) }
  if (wantsMd5 && wantsCrc64) throw new StorageError('InvalidInput')
  if (rangeLength(range) > MAX_CHECKSUM_RANGE_BYTES) throw new StorageError('OutOfRangeInput')
  const body = await readContent(source, range.startBytes, rangeLength(range))
  const checksum = wantsMd5 ? { 'Content-MD5': md5Base64(body) } : { 'x-ms-content-crc64': crc64Base64(body) }
  return { status: 206, headers: { ...partial, ...checksum }, body }
}

function isTrue({ request }: OperationContext, header: string): boolean {
  return request.header(header)?.toLowerCase() === 'true'
}

function requireNoRangeChecksum(context: OperationContext): void {
  if (isTrue(context, 'x-ms-range-get-content-md5') || isTrue(context, 'x-ms-range-get-content-crc64')) {
    throw new StorageError('InvalidHeaderValue', { reason: 'a checksum of a range needs a range' })
  }
}

/** A stream costs as much as a small answer itself, so what fits one piece is read at once. */
async function bodyOf(state: BlobState, range: ClosedRange): Promise<NonNullable<Reply['body']>> {
  const lengthBytes = rangeLength(range)
  return lengthBytes <= PIECE_BYTES ? readContent(state, range.startBytes, lengthBytes) : pieces(state, range)
}

async function* pieces(state: BlobState, range: ClosedRange): AsyncGenerator<Buffer> {
  for (let offset = range.startBytes; offset <= range.endBytes; offset += PIECE_BYTES) {
    yield await readContent(state, offset, Math.min(PIECE_BYTES, range.endBytes + 1 - offset))
  }
}
