/**
 * What one page blob of Azure takes in a second: the two budgets that a transfer is planned by.
 *
 * Both are drawn on at once, so the time of a transfer is that of the scarcer one. They are targets that Azure
 * publishes, not promises (azure-docs, includes/storage-blob-scale-targets.md).
 */
import { MIB } from './byte-range.ts'

export const BLOB_BYTES_PER_SECOND = 60 * MIB
export const BLOB_REQUESTS_PER_SECOND = 500

export function secondsAtLimit(bytes: number, requests: number): number {
  return Math.max(bytes / BLOB_BYTES_PER_SECOND, requests / BLOB_REQUESTS_PER_SECOND)
}
