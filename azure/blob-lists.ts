/** Lists of blobs, of all their pages; a page that fails is repeated by itself. */
import { BLOB_READ } from './actions.ts'
import { callStorage, PATIENT } from './call.ts'
import type { AzureClients } from './clients.ts'

export interface ListedBlob {
  readonly name: string
  readonly snapshot: string | undefined
  /** By names in lower case, as headers have them: a service may keep the case that a proxy on the way has made of them. */
  readonly metadata: Readonly<Record<string, string>>
  /** As a header has it. */
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
      yield { name, snapshot: snapshot || undefined, metadata: lowerCased(metadata), etag: quoted(properties.etag), createdAt: properties.createdOn, modifiedAt: properties.lastModified }
    }
    continuationToken = page?.continuationToken ?? ''
  } while (continuationToken !== '')
}

function lowerCased(metadata: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]))
}

/** Lists have it without the quotes that HTTP asks for in a condition. */
function quoted(etag: string): string {
  return /^(W\/)?"/.test(etag) ? etag : `"${etag}"`
}
