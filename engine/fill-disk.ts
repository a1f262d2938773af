/** Makes the disk of a restore: one that waits for its upload, or one that Azure fills by itself and that is whole when it is there. */
import { createFilledDisk, createUploadDisk } from '../azure/new-disks.ts'
import { deleteStagedBlob, stageBlob, type StagedBlob } from '../azure/staged-blob.ts'
import type { Engine } from './engine.ts'
import type { PlannedRestore } from './plan-restore.ts'
import { pointBlobOf } from './restore-job.ts'
import { PAGE_BYTES } from '../domain/byte-range.ts'
import { requestOf } from '../domain/tags.ts'

/** Safe to run twice. @throws BackupError DiskExists | RegionMismatch | SourceSnapshotNotFound | AzureRefused */
export async function makeDisk(engine: Engine, plan: PlannedRestore, signal?: AbortSignal): Promise<void> {
  const { filling, disk, job } = plan
  switch (filling.kind) {
    case 'upload':
      return createUploadDisk(engine.azure, disk, signal)
    case 'source-snapshot':
      return createFilledDisk(engine.azure, disk, { kind: 'copy', snapshotId: filling.snapshotId }, signal)
    case 'import': {
      const staged = stagedBlobOf(plan, filling.temporaryBlobName)
      const { url } = pointBlobOf(engine, job).sourceOf({ startBytes: 0, endBytes: PAGE_BYTES })
      const blobUrl = await stageBlob(engine.azure, staged, url, signal)
      await createFilledDisk(engine.azure, disk, { kind: 'import', blobUrl, storageAccountId: filling.storageAccountId }, signal)
      await deleteStagedBlob(engine.azure, staged, signal)
    }
  }
}

/** Deletes what an import that did not come to its end has left in the target. Safe to run twice. */
export async function deleteStaged(engine: Engine, plan: PlannedRestore, signal?: AbortSignal): Promise<void> {
  const { filling } = plan
  if (filling.kind === 'import') await deleteStagedBlob(engine.azure, stagedBlobOf(plan, filling.temporaryBlobName), signal)
}

function stagedBlobOf({ job, disk }: PlannedRestore, name: string): StagedBlob {
  return { targetUrl: job.targetUrl, name, requestId: requestOf(disk.tags) ?? '' }
}
