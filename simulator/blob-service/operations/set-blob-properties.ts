import { readMetadata } from '../metadata.ts'
import { isVolume, type BlobState, type PageBlobState } from '../model/blob.ts'
import { WRITE_BLOB, type Operation, type OperationContext } from '../operation.ts'
import type { Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { readHttpProperties } from './blob-headers.ts'
import { requirePageBlobSize } from './create-page-blob.ts'
import { replaceState, sequenceNumberHeader, validatorHeaders, writeTarget } from './lookup.ts'

/** Set Blob Properties (content headers, size and sequence number of a page blob) and Set Blob Metadata. */
export const setBlobPropertiesOperations: readonly Operation[] = [
  {
    name: 'SetBlobProperties',
    method: 'PUT',
    levels: ['blob'],
    comp: 'properties',
    access: WRITE_BLOB,
    run: setProperties,
  },
  { name: 'SetBlobMetadata', method: 'PUT', levels: ['blob'], comp: 'metadata', access: WRITE_BLOB, run: setMetadata },
]

/** Setting one of these sets them all: those that are not given are emptied. Resizing alone leaves them as they are. */
const CONTENT_HEADERS = [
  'x-ms-blob-cache-control',
  'x-ms-blob-content-type',
  'x-ms-blob-content-md5',
  'x-ms-blob-content-encoding',
  'x-ms-blob-content-language',
  'x-ms-blob-content-disposition',
]

function setProperties(context: OperationContext): Reply {
  const { request } = context
  const { blob, state } = writeTarget(context)
  const changesContent = CONTENT_HEADERS.some((name) => request.header(name) !== undefined)
  const described = changesContent ? { ...state, http: readHttpProperties(request, false) } : state
  const changed = replaceState(context, blob, changePageBlob(context, described))
  return {
    status: 200,
    headers: { ...validatorHeaders(changed), ...(changed.type === 'PageBlob' ? sequenceNumberHeader(changed) : {}) },
  }
}

function setMetadata(context: OperationContext): Reply {
  const { blob, state } = writeTarget(context)
  const changed = replaceState(context, blob, { ...state, metadata: readMetadata(context.request) })
  return { status: 200, headers: { ...validatorHeaders(changed), 'x-ms-request-server-encrypted': 'true' } }
}

function changePageBlob(context: OperationContext, state: BlobState): BlobState {
  const { request } = context
  const resizes = request.header('x-ms-blob-content-length') !== undefined
  const action = request.header('x-ms-sequence-number-action')
  if (!resizes && action === undefined) return state
  if (state.type !== 'PageBlob' || !isVolume(state.pages)) throw new StorageError('InvalidBlobType')
  const sequenceNumber = action === undefined ? state.sequenceNumber : nextSequenceNumber(context, state, action)
  if (resizes) state.pages.resize(requirePageBlobSize(context))
  return { ...state, sequenceNumber }
}

function nextSequenceNumber({ request }: OperationContext, state: PageBlobState, action: string): number {
  const given = request.numberHeader('x-ms-blob-sequence-number')
  switch (action.toLowerCase()) {
    case 'max':
      return Math.max(state.sequenceNumber, requireNumber(given))
    case 'update':
      return requireNumber(given)
    case 'increment':
      if (given !== undefined) throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-blob-sequence-number' })
      if (state.sequenceNumber === Number.MAX_SAFE_INTEGER) throw new StorageError('SequenceNumberIncrementTooLarge')
      return state.sequenceNumber + 1
    default:
      throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-sequence-number-action' })
  }
}

function requireNumber(given: number | undefined): number {
  if (given === undefined) throw new StorageError('MissingRequiredHeader', { reason: 'x-ms-blob-sequence-number' })
  return given
}
