/** Lists of blobs, of all their pages; a page that fails is repeated by itself. */
import { BLOB_READ } from './actions.ts'
import { callStorage, PATIENT } from './call.ts'
import type { AzureClients } from './clients.ts'

export interface ListedBlob {
  readonly name: string
  readonly snapshot: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly etag: string
  readonly createdAt: Date | undefined
  readonly modifiedAt: Date | undefined
}

export interface BlobListQuery {
  readonly prefix: string
  /** Also the snapshots, each with its metadata. */
  readonly includeSnapshots?: boolean
}

/**
 * In order of names, snapshots before their blob and oldest first.
 * @throws BackupError TargetNotFound | AccessDenied
 */
export async function* listBlobs(
  azure: AzureClients,
  targetUrl: string,
  { prefix, includeSnapshots = false }: BlobListQuery,
  signal?: AbortSignal,
): AsyncGenerator<ListedBlob> {
  const container = azure.container(targetUrl)
  const call = {
    doing: 'list',
    on: `target ${targetUrl}`,
    action: BLOB_READ,
    notFound: 'TargetNotFound',
    retry: PATIENT,
    signal,
  } as const
  let continuationToken = ''
  do {
    const page = await callStorage(call, async (abortSignal) => {
      const pages = container
        .listBlobsFlat({ prefix, includeSnapshots, includeMetadata: includeSnapshots, abortSignal })
        .byPage(continuationToken === '' ? {} : { continuationToken })
      return (await pages.next()).value
    })
    for (const { name, snapshot, metadata, properties } of page?.segment.blobItems ?? []) {
      yield { name, snapshot: snapshot || undefined, metadata: metadata ?? {}, etag: properties.etag, createdAt: properties.createdOn, modifiedAt: properties.lastModified }
    }
    continuationToken = page?.continuationToken ?? ''
  } while (continuationToken !== '')
}
