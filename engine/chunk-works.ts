/**
 * What of each chunk a run has changed, from three lists side by side: what differs from the last point, what the base blob holds now
 * and what it held then. Lazy, in address order, chunks without a change left out.
 */
import { batchesOf } from '../domain/batches.ts'
import { cut, type ByteRange } from '../domain/byte-range.ts'
import { CHUNK_BYTES, chunkAt, chunkIndexAt } from '../domain/digest-table.ts'
import { sweep, type RangeStream } from '../domain/sweep.ts'

export interface ChunkWork extends ByteRange {
  readonly index: number
  /** Changed, and holding something now. */
  readonly written: readonly ByteRange[]
  /** Changed, and holding something at the last point. */
  readonly replaced: readonly ByteRange[]
  /** Whether the chunk also holds pages that did not change. */
  readonly keepsPages: boolean
}

export interface ChunkLists {
  /** Absent: nothing is known of an earlier state, so all that is held counts as changed. */
  readonly changed?: RangeStream
  readonly now: RangeStream
  readonly before: RangeStream
}

interface OpenWork extends ByteRange {
  readonly index: number
  readonly written: ByteRange[]
  readonly replaced: ByteRange[]
  keepsPages: boolean
}

export async function* chunkWorks({ changed, now, before }: ChunkLists, blobBytes: number): AsyncGenerator<ChunkWork> {
  let open: OpenWork | undefined
  let keptUntilBytes = 0
  for await (const batch of batchesOf(sweep({ ...(changed && { changed }), now, before }))) {
    for (const { startBytes, endBytes, at } of batch) {
      const isHeld = at.now !== undefined
      if (changed !== undefined && at.changed === undefined) {
        if (!isHeld) continue
        if (open !== undefined && startBytes < open.endBytes) open.keepsPages = true
        keptUntilBytes = endBytes
        continue
      }
      if (changed === undefined && !isHeld) continue
      for (const piece of chunkPieces({ startBytes, endBytes })) {
        const index = chunkIndexAt(piece.startBytes)
        if (open?.index !== index) {
          if (open !== undefined) yield open
          const chunk = chunkAt(index, blobBytes)
          open = { ...chunk, index, written: [], replaced: [], keepsPages: keptUntilBytes > chunk.startBytes }
        }
        if (isHeld) open.written.push(piece)
        if (at.before !== undefined) open.replaced.push(piece)
      }
    }
  }
  if (open !== undefined) yield open
}

/** Cut where chunks end. */
export function* chunkPieces({ startBytes, endBytes }: ByteRange): Generator<ByteRange> {
  const firstEnd = Math.min(endBytes, (chunkIndexAt(startBytes) + 1) * CHUNK_BYTES)
  yield { startBytes, endBytes: firstEnd }
  if (firstEnd < endBytes) yield* cut({ startBytes: firstEnd, endBytes }, CHUNK_BYTES)
}
