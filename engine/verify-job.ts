/** What a verification of a point needs to know: plain data, it travels through Temporal. */
import { DigestBlob } from '../azure/digest-blob.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import type { ChunkChoice } from '../domain/chunk-choice.ts'
import { chunkAt, chunkIndexAt, type DigestTableRef } from '../domain/digest-table.ts'
import type { VerifyLevel } from '../domain/point-check.ts'
import type { PointCopy } from './compare-with-point.ts'
import { DigestReader } from './digest-reader.ts'
import type { Engine } from './engine.ts'
import { pointBlobOf, type PointContent } from './restore-job.ts'

export interface VerifyJob {
  readonly targetUrl: string
  readonly chain: string
  readonly pointId: string
  readonly content: PointContent
  readonly digests: DigestTableRef
  readonly level: VerifyLevel
  readonly choice: ChunkChoice
  /** At level `source`: what the point was copied from. */
  readonly sourceSnapshotId?: string
}

export function readerOf(engine: Engine, targetUrl: string, { name, snapshot }: DigestTableRef): DigestReader {
  return new DigestReader(new DigestBlob(engine.azure, targetUrl, name), snapshot)
}

/** The point itself, as something to be compared with its digests. */
export function contentCopyOf(engine: Engine, content: PointContent): PointCopy {
  const blob = pointBlobOf(engine, content)
  return {
    allocated: (window, signal) => blob.allocated(window, signal),
    read: (range, signal) => blob.read(range, signal),
  }
}

/** The chunk around a piece of it. */
export function alignToChunks({ startBytes }: ByteRange, blobBytes: number): ByteRange {
  return chunkAt(chunkIndexAt(startBytes), blobBytes)
}
