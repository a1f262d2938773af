/** The stripes of a base blob and their snapshots, from one listing: their names begin alike. */
import { parseStripeBlobName } from '../domain/names.ts'
import { listBlobs, type ListedBlob } from './blob-lists.ts'
import type { AzureClients } from './clients.ts'

export interface ListedStripe extends ListedBlob {
  /** Counts from 0, also those of an earlier layout. */
  readonly stripe: number
}

/**
 * In order of names, snapshots before their blob and oldest first. A snapshot whose answer was lost is here.
 * @throws BackupError TargetNotFound | AccessDenied
 */
export async function* listStripes(
  azure: AzureClients,
  targetUrl: string,
  baseBlobName: string,
  signal?: AbortSignal,
): AsyncGenerator<ListedStripe> {
  for await (const blob of listBlobs(azure, targetUrl, { prefix: baseBlobName, includeSnapshots: true }, signal)) {
    // The prefix also finds blobs of others.
    const stripe = parseStripeBlobName(baseBlobName, blob.name)
    if (stripe !== undefined) yield { ...blob, stripe }
  }
}
