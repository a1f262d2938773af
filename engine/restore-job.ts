/** Writing a recovery point into a new disk that waits for its upload. Plain data; travels through Temporal. */
import type { AzureClients } from '../azure/clients.ts'
import { BaseBlob } from '../azure/base-blob.ts'

export interface RestoreJob {
  readonly targetUrl: string
  readonly baseBlobName: string
  /** The blob snapshot of the point. */
  readonly blobSnapshot: string
  /** Disk and footer. */
  readonly blobBytes: number
  readonly toDiskId: string
}

export function pointBlobOf(azure: AzureClients, job: RestoreJob): BaseBlob {
  return new BaseBlob(azure, job.targetUrl, job.baseBlobName)
}
