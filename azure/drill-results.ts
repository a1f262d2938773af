/** The results of drills: small block blobs in the target, beside the chains of the disk. */
import { decodeDrillResult, encodeDrillResult, type DrillResult } from '../domain/drill-result.ts'
import { isFailure } from '../domain/failures.ts'
import { DISKS_PREFIX, drillPrefix, drillResultName, isDrillResultName } from '../domain/names.ts'
import { BLOB_DELETE, BLOB_READ, BLOB_WRITE } from './actions.ts'
import { listBlobs } from './blob-lists.ts'
import { callStorage, PATIENT, type StorageCall } from './call.ts'
import type { AzureClients } from './clients.ts'
import { deleteIfThere } from './delete-blob.ts'
import { mapConcurrently } from './concurrent.ts'

const READS_AT_ONCE = 16
/** Of each disk; the last one that passed is kept beyond that. */
const KEPT_RESULTS = 50

/** Writing the same again is fine. @throws BackupError TargetNotFound | AccessDenied */
export async function writeDrillResult(azure: AzureClients, targetUrl: string, result: DrillResult, signal?: AbortSignal): Promise<void> {
  const name = drillResultName(result.diskId, result.id)
  const text = encodeDrillResult(result)
  await callStorage({ ...callOf('write', name, BLOB_WRITE, signal), notFound: 'TargetNotFound' }, (abortSignal) =>
    azure
      .container(targetUrl)
      .getBlockBlobClient(name)
      .upload(text, Buffer.byteLength(text), { abortSignal, blobHTTPHeaders: { blobContentType: 'application/json' } }),
  )
}

/** Of one disk or of all, oldest first. What cannot be read is left out. @throws BackupError TargetNotFound | AccessDenied */
export async function listDrillResults(azure: AzureClients, targetUrl: string, diskId: string | undefined, signal?: AbortSignal): Promise<DrillResult[]> {
  const prefix = diskId === undefined ? DISKS_PREFIX : drillPrefix(diskId)
  const results: DrillResult[] = []
  const read = mapConcurrently(listBlobs(azure, targetUrl, { prefix }, signal), READS_AT_ONCE, async ({ name }) =>
    isDrillResultName(name) ? readResult(azure, targetUrl, name, signal) : undefined,
  )
  for await (const result of read) if (result !== undefined) results.push(result)
  return results.toSorted((a, b) => a.id.localeCompare(b.id))
}

/** Deletes old results of a disk. Safe to run twice. */
export async function pruneDrillResults(azure: AzureClients, targetUrl: string, diskId: string, signal?: AbortSignal): Promise<void> {
  const results = await listDrillResults(azure, targetUrl, diskId, signal)
  const lastSuccess = results.findLast(({ verdict }) => verdict === 'passed')
  for (const { id } of results.slice(0, -KEPT_RESULTS)) {
    if (id === lastSuccess?.id) continue
    const name = drillResultName(diskId, id)
    await deleteIfThere(callOf('delete', name, BLOB_DELETE, signal), azure.container(targetUrl).getBlockBlobClient(name))
  }
}

async function readResult(azure: AzureClients, targetUrl: string, name: string, signal: AbortSignal | undefined): Promise<DrillResult | undefined> {
  const client = azure.container(targetUrl).getBlockBlobClient(name)
  const call = { ...callOf('read', name, BLOB_READ, signal), notFound: 'PointNotFound' } as const
  try {
    const body = await callStorage(call, (abortSignal) => client.downloadToBuffer(0, undefined, { abortSignal }))
    return decodeDrillResult(body.toString('utf8'))
  } catch (error) {
    if (isFailure(error, 'PointNotFound', 'AzureRefused')) return undefined
    throw error
  }
}

function callOf(doing: string, blobName: string, action: string, signal: AbortSignal | undefined): StorageCall {
  return { doing, on: `drill result ${blobName}`, action, retry: PATIENT, signal, facts: { blobName } }
}
