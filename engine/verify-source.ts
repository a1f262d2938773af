/**
 * Compares the source snapshot of a point with the digests of the point: whether what was sealed is what the source holds. Together with a
 * comparison of the point itself it tells what digests alone cannot: that they were taken of the right bytes.
 */
import { checkChunks, type ChunkCheckOptions, type ChunkCheckState } from './check-chunks.ts'
import { openDiskCopy } from './disk-copy.ts'
import type { Engine } from './engine.ts'
import { withFooterOfPoint } from './footer-of-point.ts'
import { readerOf, type VerifyJob } from './verify-job.ts'

/** Leaves its access as it is: the other extents need it. @throws BackupError SourceSnapshotNotFound | SnapshotAccessBusy | ExportAccessLost */
export async function checkSource(engine: Engine, { targetUrl, content, digests }: VerifyJob, snapshotId: string, options: ChunkCheckOptions): Promise<ChunkCheckState> {
  const { signal } = options
  // Asked for first with what there is to read, so that the grant lasts.
  await engine.exports.read(snapshotId, signal, content.blobBytes)
  const source = await openDiskCopy(engine, snapshotId, 'read', signal)
  return checkChunks(readerOf(engine, targetUrl, digests), content.blobBytes, withFooterOfPoint(engine, content, source), options)
}
