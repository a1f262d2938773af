import { clipRange } from '../byte-range.ts'
import type { PageBlobState } from '../model/blob.ts'
import { READ_BLOB, type Operation, type OperationContext } from '../operation.ts'
import type { Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { xmlDocument } from '../xml.ts'
import { PAGE_BYTES, type DiffSpan, type PageSpan } from '../../store/volume.ts'
import { readTarget, validatorHeaders } from './lookup.ts'
import { diffSpans, isDiff } from './page-ranges-diff.ts'

/**
 * Get Page Ranges, whole or as a difference to an earlier snapshot.
 *
 * From version 2020-10-02 an answer holds at most a limit of ranges, whether `maxresults` is given or not, and
 * `NextMarker` where it stopped; before, it holds all. Ends are inclusive.
 */
export const pageRangesOperations: readonly Operation[] = [
  {
    name: 'GetPageRangesDiff',
    method: 'GET',
    levels: ['blob'],
    comp: 'pagelist',
    when: isDiff,
    access: READ_BLOB,
    run: (context) => listRanges(context, diffSpans),
  },
  {
    name: 'GetPageRanges',
    method: 'GET',
    levels: ['blob'],
    comp: 'pagelist',
    access: READ_BLOB,
    run: (context) => listRanges(context, allocatedSpans),
  },
]

const PAGING_VERSION = '2020-10-02'
/** About a millisecond of work. */
const RANGES_PER_PIECE = 2000
const MARKER_PREFIX = 'page:'

/** Spans of a state inside a window of bytes; the end is exclusive. */
export type ListSpans = (
  context: OperationContext,
  state: PageBlobState,
  fromBytes: number,
  toBytes: number,
) => Iterable<PageSpan | DiffSpan>

function allocatedSpans(
  _: OperationContext,
  state: PageBlobState,
  fromBytes: number,
  toBytes: number,
): Iterable<PageSpan> {
  return state.pages.pageSpans(fromBytes, toBytes)
}

function listRanges(context: OperationContext, listSpans: ListSpans): Reply {
  const { request } = context
  const { state } = readTarget(context)
  if (state.type !== 'PageBlob') throw new StorageError('InvalidBlobType')
  const window = clipRange(request.range(), state.pages.sizeBytes)
  const paging = readPaging(context)
  const fromBytes = Math.max(alignDown(window.startBytes), paging.fromBytes)
  const toBytes = alignDown(window.endBytes) + PAGE_BYTES
  const spans = listSpans(context, state, fromBytes, toBytes)
  return {
    status: 200,
    headers: {
      ...validatorHeaders(state),
      'Content-Type': 'application/xml',
      'x-ms-blob-content-length': String(state.pages.sizeBytes),
    },
    body: listXml(spans, paging.limit, request.isVersionAtLeast(PAGING_VERSION)),
  }
}

/**
 * The list in pieces, between which others get their turn: it may hold a million ranges. It ends early at the limit,
 * so an answer costs what it holds and not what the blob holds.
 */
async function* listXml(
  spans: Iterable<PageSpan | DiffSpan>,
  limit: number,
  hasMarker: boolean,
): AsyncGenerator<Buffer> {
  let text = xmlDocument('<PageList>')
  let count = 0
  let nextMarker: string | undefined
  for (const span of spans) {
    if (count === limit) {
      nextMarker = `${MARKER_PREFIX}${span.startBytes}`
      break
    }
    text += spanXml(span)
    count += 1
    if (count % RANGES_PER_PIECE > 0) continue
    yield Buffer.from(text)
    text = ''
    await new Promise((resolve) => setImmediate(resolve))
  }
  yield Buffer.from(`${text}${hasMarker ? markerXml(nextMarker) : ''}</PageList>`)
}

function readPaging({ request, service }: OperationContext): { limit: number; fromBytes: number } {
  const marker = request.query.get('marker')
  const maxResults = request.countParameter('maxresults')
  if (!request.isVersionAtLeast(PAGING_VERSION)) {
    if (marker !== null || maxResults !== undefined) {
      throw new StorageError('UnsupportedQueryParameter', {
        reason: `marker and maxresults need version ${PAGING_VERSION}`,
      })
    }
    return { limit: Infinity, fromBytes: 0 }
  }
  const limit = Math.min(maxResults ?? Infinity, service.limits.maxPageListRanges)
  return { limit, fromBytes: marker === null || marker === '' ? 0 : parseMarker(marker) }
}

function markerXml(nextMarker: string | undefined): string {
  if (nextMarker === undefined) return '<NextMarker />'
  return `<NextMarker>${Buffer.from(nextMarker).toString('base64url')}</NextMarker>`
}

function parseMarker(marker: string): number {
  const text = Buffer.from(marker, 'base64url').toString()
  const offsetBytes = Number(text.slice(MARKER_PREFIX.length))
  if (!text.startsWith(MARKER_PREFIX) || !Number.isSafeInteger(offsetBytes)) {
    throw new StorageError('InvalidQueryParameterValue', { reason: 'marker' })
  }
  return offsetBytes
}

function spanXml(span: PageSpan | DiffSpan): string {
  const name = 'isClear' in span && span.isClear ? 'ClearRange' : 'PageRange'
  return `<${name}><Start>${span.startBytes}</Start><End>${span.endBytes}</End></${name}>`
}

function alignDown(offsetBytes: number): number {
  return offsetBytes - (offsetBytes % PAGE_BYTES)
}
