/**
 * Azure's own copy of an incremental snapshot, to another region or within one (createOption CopyStart;
 * learn.microsoft.com, disks-copy-incremental-snapshot-across-regions).
 *
 * Azure copies one snapshot of a disk at a time, in the order of their creation, and at most 100 of a subscription to a
 * region. The source must stay until the copy is complete: see `SnapshotStatus.completionPercent`.
 */
import { BackupError, isFailure } from '../domain/failures.ts'
import type { SourceSnapshot } from '../domain/source-disk.ts'
import type { Tags } from '../domain/tags.ts'
import type { AzureClients } from './clients.ts'
import type { SnapshotStatus } from './snapshot-model.ts'
import { createSnapshotOnce, type SnapshotSpec } from './snapshots.ts'

export interface CopySpec {
  readonly id: string
  readonly source: Pick<SourceSnapshot, 'id' | 'uniqueId'>
  /** The region that it is copied to. */
  readonly location: string
  readonly access?: SnapshotSpec['access']
  /** Must hold `snapferry-request`. */
  readonly tags: Tags
}

/**
 * Starts the copy, or finds the one that an earlier attempt of the same request started. Does not wait for it.
 * @throws BackupError SnapshotCopyBusy while Azure copies others; SourceSnapshotNotFound; AzureRefused
 */
export async function startSnapshotCopy(
  azure: AzureClients,
  { id, source, location, access, tags }: CopySpec,
  signal?: AbortSignal,
): Promise<SnapshotStatus> {
  const from = { ...source, createOption: 'CopyStart', called: `snapshot ${source.id}` } as const
  try {
    return await createSnapshotOnce(
      azure,
      { id, isIncremental: true, location, access, tags, sku: undefined, source: from, notFound: 'SourceSnapshotNotFound' },
      signal,
    )
  } catch (error) {
    // How Azure words its limits is not documented: any conflict may be one of them.
    if (!isFailure(error, 'AzureRefused') || error.facts['status'] !== 409) throw error
    throw new BackupError({
      type: 'SnapshotCopyBusy',
      message:
        `${error.message}; Azure copies one snapshot of a disk at a time and at most 100 of a subscription to a region: ` +
        'it is tried again later',
      facts: error.facts,
      cause: error,
    })
  }
}
