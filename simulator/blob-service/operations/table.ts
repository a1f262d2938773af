import type { BlobRequest } from '../blob-request.ts'
import type { Operation } from '../operation.ts'
import { StorageError } from '../storage-error.ts'
import { accountOperations } from './account-level.ts'
import { blockBlobOperations } from './block-blob.ts'
import { containerOperations } from './containers.ts'
import { copyBlobOperations } from './copy-blob.ts'
import { createPageBlobOperation } from './create-page-blob.ts'
import { deleteBlobOperation } from './delete-blob.ts'
import { getBlobOperations } from './get-blob.ts'
import { leaseBlobOperation } from './lease-blob.ts'
import { listBlobsOperation } from './list-blobs.ts'
import { pageRangesOperations } from './page-ranges.ts'
import { putPageFromUrlOperation } from './put-page-from-url.ts'
import { putPageOperations } from './put-page.ts'
import { setBlobPropertiesOperations } from './set-blob-properties.ts'
import { snapshotBlobOperation } from './snapshot-blob.ts'

/**
 * Every operation of the service. Of those with equal method, level and query the first whose `when` agrees is taken.
 */
const OPERATIONS: readonly Operation[] = [
  ...accountOperations,
  ...containerOperations,
  listBlobsOperation,
  putPageFromUrlOperation,
  ...putPageOperations,
  ...pageRangesOperations,
  ...getBlobOperations,
  createPageBlobOperation,
  ...blockBlobOperations,
  ...copyBlobOperations,
  ...setBlobPropertiesOperations,
  snapshotBlobOperation,
  leaseBlobOperation,
  deleteBlobOperation,
]

const VERBS: ReadonlySet<string> = new Set(OPERATIONS.map(({ method }) => method))

const byRoute = new Map<string, Operation[]>()
for (const operation of OPERATIONS) {
  for (const level of operation.levels) {
    const key = routeKey(operation.method, level, operation.restype ?? '', operation.comp ?? '')
    byRoute.set(key, [...(byRoute.get(key) ?? []), operation])
  }
}

/** @throws StorageError MissingRequiredHeader when only a header is missing; NotImplemented for what is not offered. */
export function findOperation(request: BlobRequest): Operation {
  const restype = request.query.get('restype')?.toLowerCase() ?? ''
  const comp = request.query.get('comp')?.toLowerCase() ?? ''
  const candidates = byRoute.get(routeKey(request.method, request.level, restype, comp))
  if (candidates === undefined) {
    if (!VERBS.has(request.method)) throw new StorageError('UnsupportedHttpVerb')
    throw new StorageError('NotImplemented', {
      reason: `${request.method} ${request.level} restype=${restype} comp=${comp}`,
    })
  }
  const operation = candidates.find(({ when }) => when === undefined || when(request))
  if (operation !== undefined) return operation
  const blobType = request.header('x-ms-blob-type')
  if (blobType === undefined) throw new StorageError('MissingRequiredHeader', { reason: 'x-ms-blob-type' })
  throw new StorageError('NotImplemented', { reason: `x-ms-blob-type ${blobType}` })
}

function routeKey(method: string, level: string, restype: string, comp: string): string {
  return `${method} ${level} ${restype} ${comp}`
}
