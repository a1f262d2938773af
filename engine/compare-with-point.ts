/**
 * Compares a copy of a recovery point, wherever it lies, with the point: page lists whole, and of the bytes the footer, a
 * sample of chunks and everything that only one of the two lists names. Both sides are read; nothing is changed.
 */
import { coarsen, type ByteRange } from '../domain/byte-range.ts'
import { createSampler, seededRandom } from '../domain/sampler.ts'
import { sweep } from '../domain/sweep.ts'
import type { ChunkCheckState } from './check-chunks.ts'
import { compareBytes } from './compare-bytes.ts'
import type { Engine } from './engine.ts'
import { pointImageOf } from './point-image.ts'
import type { PointContent } from './restore-job.ts'
import { restoreFooterOf } from './restore-route.ts'

/** What was made from a point. */
export interface PointCopy {
  /** Where it holds something, sorted and disjoint. */
  allocated(window: ByteRange, signal?: AbortSignal): AsyncIterable<ByteRange>
  read(range: ByteRange, signal: AbortSignal): Promise<Uint8Array>
}

export interface CopyReport {
  readonly comparedBytes: number
  /** A cover of what differs, small enough for workflow history. */
  readonly mismatches: readonly ByteRange[]
}

export interface CompareOptions {
  /** What an earlier comparison with digests had reached. */
  readonly resumeFrom?: ChunkCheckState | undefined
  /** @param state what another comparison can go on from; a sample has none. */
  readonly onProgress?: (checkedBytes: number, state?: ChunkCheckState) => void
  readonly signal?: AbortSignal | undefined
}

const MAX_REPORTED_RANGES = 256
const SAMPLE_CHUNKS = 64
const SAMPLE_BYTES = 64 * 1024

export async function compareWithPoint(
  engine: Engine,
  point: PointContent,
  copy: PointCopy,
  options: CompareOptions = {},
): Promise<CopyReport> {
  const { signal } = options
  const blob = pointImageOf(engine, point)
  const window = { startBytes: 0, endBytes: point.blobBytes }
  const sampler = createSampler(SAMPLE_CHUNKS, SAMPLE_BYTES, seededRandom(point.blobBytes % 0xffffffff))
  const suspects: ByteRange[] = []
  const lists = {
    point: blob.allocated(window, signal),
    copy: copy.allocated(window, signal),
  }
  for await (const { startBytes, endBytes, at } of sweep(lists)) {
    if (at.point !== undefined) sampler.offer({ startBytes, endBytes })
    if ((at.point === undefined) !== (at.copy === undefined)) suspects.push({ startBytes, endBytes })
    if (suspects.length > 2 * MAX_REPORTED_RANGES) {
      suspects.splice(0, suspects.length, ...coarsen(suspects, MAX_REPORTED_RANGES))
    }
    options.onProgress?.(endBytes)
  }
  const ranges = [...suspects, ...sampler.chunks(), restoreFooterOf(point)]
  const { comparedBytes, differing } = await compareBytes(
    coarsen(ranges, ranges.length),
    (range, readSignal) => blob.read(range, readSignal),
    (range, readSignal) => copy.read(range, readSignal),
    { signal, ...(options.onProgress && { onProgress: options.onProgress }) },
  )
  return { comparedBytes, mismatches: coarsen(differing, MAX_REPORTED_RANGES) }
}
