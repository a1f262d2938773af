/** Compares a copy of a recovery point, wherever it lies, with the digests of the point: every byte of the copy is read, none of the point. */
import { DigestBlob } from '../azure/digest-blob.ts'
import type { PointDigests } from '../domain/manifest.ts'
import { checkChunks } from './check-chunks.ts'
import type { CompareOptions, CopyReport, PointCopy } from './compare-with-point.ts'
import { DigestReader } from './digest-reader.ts'
import type { Engine } from './engine.ts'
import type { PointContent } from './restore-job.ts'

/** @throws BackupError PointNotFound where the digest table is gone. */
export async function compareWithDigests(
  engine: Engine,
  point: PointContent,
  digests: Pick<PointDigests, 'name' | 'snapshot'>,
  copy: PointCopy,
  options: CompareOptions = {},
): Promise<CopyReport> {
  const { resumeFrom, onProgress, signal } = options
  const reader = new DigestReader(new DigestBlob(engine.azure, point.targetUrl, digests.name), digests.snapshot)
  const { comparedBytes, differing } = await checkChunks(reader, point.blobBytes, copy, {
    window: { startBytes: 0, endBytes: point.blobBytes },
    choice: { kind: 'all' },
    resumeFrom,
    onProgress: (state) => onProgress?.(state.nextOffsetBytes, state),
    signal,
  })
  return { comparedBytes, mismatches: differing }
}
