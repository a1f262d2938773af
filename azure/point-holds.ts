/** The holds on points that are being restored: empty block blobs beside the manifests, renewed by being written again. */
import type { FoundHold } from '../domain/point-hold.ts'
import { holdPrefix, parseHoldName } from '../domain/names.ts'
import { BLOB_DELETE, BLOB_WRITE } from './actions.ts'
import { listBlobs } from './blob-lists.ts'
import { callStorage, PATIENT, type StorageCall } from './call.ts'
import type { AzureClients } from './clients.ts'
import { deleteIfThere } from './delete-blob.ts'

/** Takes or renews it. @throws BackupError AccessDenied | TargetNotFound */
export async function holdPoint(azure: AzureClients, targetUrl: string, name: string, signal?: AbortSignal): Promise<void> {
  const client = azure.container(targetUrl).getBlockBlobClient(name)
  await callStorage({ ...callOf('hold a point by', name, BLOB_WRITE, signal), notFound: 'TargetNotFound' }, (abortSignal) => client.upload('', 0, { abortSignal }))
}

/** One that is gone already is fine. */
export async function endHold(azure: AzureClients, targetUrl: string, name: string, signal?: AbortSignal): Promise<void> {
  await deleteIfThere(callOf('delete', name, BLOB_DELETE, signal), azure.container(targetUrl).getBlockBlobClient(name))
}

/** @throws BackupError TargetNotFound | AccessDenied */
export async function listHolds(azure: AzureClients, targetUrl: string, chain: string, signal?: AbortSignal): Promise<FoundHold[]> {
  const holds: FoundHold[] = []
  for await (const { name, modifiedAt } of listBlobs(azure, targetUrl, { prefix: holdPrefix(chain) }, signal)) {
    const pointId = parseHoldName(name)
    if (pointId !== undefined) holds.push({ name, pointId, renewedAt: modifiedAt })
  }
  return holds
}

function callOf(doing: string, blobName: string, action: string, signal: AbortSignal | undefined): StorageCall {
  return { doing, on: `hold ${blobName}`, action, retry: PATIENT, signal, facts: { blobName } }
}
