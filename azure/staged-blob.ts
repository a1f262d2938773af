/**
 * Temporary page blobs in a target: whole copies of a blob snapshot, made by Copy Blob inside the account.
 *
 * Each names the request that made it, so a second call finds the copy of the first and nobody else's blob is overwritten or
 * deleted.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { BackupError, isFailure } from '../domain/failures.ts'
import { BLOB_DELETE, BLOB_READ, BLOB_WRITE } from './actions.ts'
import { orUndefined } from './arm-call.ts'
import { listBlobs } from './blob-lists.ts'
import { callStorage, ONCE, PATIENT, type StorageCall } from './call.ts'
import type { AzureClients } from './clients.ts'
import { deleteIfThere } from './delete-blob.ts'
import { isConditionRefused } from './condition-refused.ts'

export interface StagedBlob {
  readonly targetUrl: string
  readonly name: string
  readonly requestId: string
}

export interface FoundStagedBlob extends StagedBlob {
  readonly createdAt: Date | undefined
}

const REQUEST_KEY = 'snapferrytemporary'
const POLL_INTERVAL_MS = 1_000

/**
 * Copies a blob of the same account, which Azure may take its time for, and returns the URL of the copy when it is whole.
 *
 * @param sourceUrl without SAS: within an account the identity that writes is the one that reads (Copy Blob, authorization).
 * @throws BackupError BaseBlobForeign where another blob stands there; AzureRefused where the copy failed.
 */
export async function stageBlob(azure: AzureClients, staged: StagedBlob, sourceUrl: string, signal?: AbortSignal): Promise<string> {
  const client = azure.container(staged.targetUrl).getPageBlobClient(staged.name)
  if ((await findStaged(azure, staged, signal)) === undefined) {
    const call = callOf('copy a recovery point to', staged, BLOB_WRITE, signal)
    try {
      await callStorage({ ...call, retry: ONCE }, (abortSignal) =>
        client.beginCopyFromURL(sourceUrl, {
          abortSignal,
          metadata: { [REQUEST_KEY]: staged.requestId },
          conditions: { ifNoneMatch: '*' },
        }),
      )
    } catch (error) {
      // An attempt that was given up on may have been carried out in the meantime.
      if (!isConditionRefused(error)) throw error
    }
  }
  for (;;) {
    const found = await findStaged(azure, staged, signal)
    if (found?.copyStatus === 'success' || (found !== undefined && found.copyStatus === undefined)) return client.url
    if (found?.copyStatus !== 'pending') throw copyFailed(staged, found?.copyStatusDescription)
    await sleep(POLL_INTERVAL_MS, undefined, signal === undefined ? {} : { signal })
  }
}

/** Also one that is still being copied. One that is gone already, or is not of this request, is fine. */
export async function deleteStagedBlob(azure: AzureClients, staged: StagedBlob, signal?: AbortSignal): Promise<void> {
  const client = azure.container(staged.targetUrl).getPageBlobClient(staged.name)
  let found: Awaited<ReturnType<typeof findStaged>>
  try {
    found = await findStaged(azure, staged, signal)
  } catch (error) {
    if (isFailure(error, 'BaseBlobForeign')) return
    throw error
  }
  if (found === undefined) return
  const { copyId } = found
  if (found.copyStatus === 'pending' && copyId !== undefined) {
    await callStorage(callOf('stop the copy to', staged, BLOB_WRITE, signal), (abortSignal) => client.abortCopyFromURL(copyId, { abortSignal })).catch(
      (error: unknown) => {
        // It may have ended meanwhile; if it goes on, the deletion says so.
        if (!isFailure(error)) throw error
      },
    )
  }
  await deleteIfThere(callOf('delete', staged, BLOB_DELETE, signal), client)
}

/** Those that a restore has under way, and those that one has left behind; never another product's. */
export async function* listStagedBlobs(azure: AzureClients, targetUrl: string, prefix: string, signal?: AbortSignal): AsyncGenerator<FoundStagedBlob> {
  for await (const { name, metadata, createdAt } of listBlobs(azure, targetUrl, { prefix, includeSnapshots: true }, signal)) {
    const requestId = stagedBy(metadata)
    if (requestId !== undefined) yield { targetUrl, name, requestId, createdAt }
  }
}

/** The request that made a temporary blob; undefined: it is none. */
export function stagedBy(metadata: Readonly<Record<string, string>>): string | undefined {
  return metadata[REQUEST_KEY]
}

async function findStaged(azure: AzureClients, staged: StagedBlob, signal: AbortSignal | undefined) {
  const client = azure.container(staged.targetUrl).getPageBlobClient(staged.name)
  const call = { ...callOf('read', staged, BLOB_READ, signal), notFound: 'PointNotFound' } as const
  const found = await orUndefined('PointNotFound', () => callStorage(call, (abortSignal) => client.getProperties({ abortSignal })))
  if (found === undefined || found.metadata?.[REQUEST_KEY] === staged.requestId) return found
  throw new BackupError({ type: 'BaseBlobForeign', message: `a blob that this restore did not make stands at ${staged.name}; move it away`, facts: { blobName: staged.name } })
}

function copyFailed({ name }: StagedBlob, why: string | undefined): BackupError {
  return new BackupError({
    type: 'AzureRefused',
    message: `Azure could not copy the recovery point to ${name}: ${why ?? 'the copy is gone'}; restore without --import`,
    facts: { blobName: name },
  })
}

function callOf(doing: string, { name }: StagedBlob, action: string, signal: AbortSignal | undefined): StorageCall {
  return { doing, on: `temporary blob ${name}`, action, retry: PATIENT, signal, notFound: 'TargetNotFound', facts: { blobName: name } }
}
