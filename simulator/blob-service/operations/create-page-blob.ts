import { randomUUID } from 'node:crypto'
import { readMetadata } from '../metadata.ts'
import type { PageBlobState } from '../model/blob.ts'
import { CREATE_BLOB, type Operation, type OperationContext } from '../operation.ts'
import type { Reply } from '../reply.ts'
import { StorageError } from '../storage-error.ts'
import { PAGE_BYTES } from '../../store/volume.ts'
import { readHttpProperties } from './blob-headers.ts'
import { createTarget, putBlobState, validatorHeaders } from './lookup.ts'

/** Put Blob of a page blob: an empty one of the given length. Snapshots of a blob that it replaces stay. */
export const createPageBlobOperation: Operation = {
  name: 'PutBlob',
  method: 'PUT',
  levels: ['blob'],
  when: (request) => request.header('x-ms-blob-type') === 'PageBlob',
  access: CREATE_BLOB,
  run: createPageBlob,
}

function createPageBlob(context: OperationContext): Reply {
  const { request, account, service } = context
  if (!account.takesPageBlobs) throw new StorageError('BlobTypeNotSupported')
  if (request.contentLength() !== 0) throw new StorageError('InvalidHeaderValue', { reason: 'Content-Length' })
  const sizeBytes = requirePageBlobSize(context)
  const { blob } = createTarget(context)
  const now = service.clock.now()
  const state = putBlobState<PageBlobState>(context, blob, {
    type: 'PageBlob',
    pages: service.store.createVolume(sizeBytes),
    sequenceNumber: request.numberHeader('x-ms-blob-sequence-number') ?? 0,
    metadata: readMetadata(request),
    http: readHttpProperties(request, true),
    createdAt: now,
    lastModified: now,
    etag: '',
    generation: randomUUID(),
    copy: undefined,
  })
  return { status: 201, headers: { ...validatorHeaders(state), 'x-ms-request-server-encrypted': 'true' } }
}

/** `x-ms-blob-content-length`. @throws StorageError when it is missing, no multiple of 512, or above the limit. */
export function requirePageBlobSize({ request, service }: OperationContext): number {
  const sizeBytes = request.numberHeader('x-ms-blob-content-length')
  if (sizeBytes === undefined) throw new StorageError('MissingRequiredHeader', { reason: 'x-ms-blob-content-length' })
  if (sizeBytes % PAGE_BYTES !== 0) throw new StorageError('InvalidHeaderValue', { reason: 'x-ms-blob-content-length' })
  if (sizeBytes > service.limits.maxPageBlobBytes) throw new StorageError('OutOfRangeInput')
  return sizeBytes
}
