/**
 * Leaves out of a full transfer what the base blob holds already: chunk by chunk of 4 MiB, the digest of what the source holds is
 * compared with that of the base blob. What is equal becomes `same` instead of `copy`; nothing else changes.
 *
 * The source is read by the worker, the base blob only where its digest is not known. Chunks are compared several at a time and come
 * out in order.
 */
import { mapConcurrently } from '../azure/concurrent.ts'
import { clip, type ByteRange } from '../domain/byte-range.ts'
import { isSame, type Word64 } from '../domain/crc64-algebra.ts'
import { chunkAt, chunkIndexAt } from '../domain/digest-table.ts'
import type { RangeStream } from '../domain/sweep.ts'
import { sweep } from '../domain/sweep.ts'
import type { Change } from '../domain/transfer-plan.ts'
import { chunkPieces } from './chunk-works.ts'

/** A change of a full transfer. */
export interface FullChange extends Change {
  /** The base blob has these pages, too, so they may be equal. */
  readonly isHeld: boolean
}

export interface ChunkDigests {
  /** Raw sum of the chunk with only these ranges of the source in it. */
  source(ranges: readonly ByteRange[], chunk: ByteRange, signal: AbortSignal | undefined): Promise<Word64>
  /** Raw sum of the chunk in the base blob; undefined where it is not known and not worth to be found out, or must not count. */
  base(index: number, chunk: ByteRange, isUncertain: boolean, signal: AbortSignal | undefined): Promise<Word64 | undefined>
}

interface ChunkChanges {
  readonly index: number
  readonly changes: FullChange[]
  /** Something was written here that the digests do not know of. */
  isUncertain: boolean
}

/** Each holds up to 4 MiB of the source. */
const CHUNKS_IN_FLIGHT = 8

/**
 * @param changes sorted and disjoint.
 * @param uncertain where the digests of the base blob are older than its bytes.
 */
export async function* passOverEqual(
  changes: RangeStream<FullChange>,
  uncertain: RangeStream,
  digests: ChunkDigests,
  blobBytes: number,
  signal?: AbortSignal,
): AsyncGenerator<Change> {
  const compared = mapConcurrently(byChunk(changes, uncertain), CHUNKS_IN_FLIGHT, async (chunk) => ({
    changes: chunk.changes,
    isEqual: await isEqualChunk(chunk, digests, blobBytes, signal),
  }))
  for await (const { changes: ofChunk, isEqual } of compared) {
    for (const { kind, isHeld, startBytes, endBytes } of ofChunk) {
      yield { kind: isEqual && isHeld && kind === 'copy' ? 'same' : kind, startBytes, endBytes }
    }
  }
}

async function isEqualChunk(
  { index, changes, isUncertain }: ChunkChanges,
  digests: ChunkDigests,
  blobBytes: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (!changes.some(({ kind, isHeld }) => kind === 'copy' && isHeld)) return false
  const chunk = chunkAt(index, blobBytes)
  const base = await digests.base(index, chunk, isUncertain, signal)
  if (base === undefined) return false
  const ranges = changes.filter(({ kind }) => kind === 'copy').map(({ startBytes, endBytes }) => ({ startBytes, endBytes }))
  return isSame(base, await digests.source(ranges, chunk, signal))
}

async function* byChunk(changes: RangeStream<FullChange>, uncertain: RangeStream): AsyncGenerator<ChunkChanges> {
  let open: ChunkChanges | undefined
  for await (const { startBytes, endBytes, at } of sweep({ change: changes, uncertain })) {
    for (const piece of chunkPieces({ startBytes, endBytes })) {
      const index = chunkIndexAt(piece.startBytes)
      if (open?.index !== index) {
        if (open !== undefined) yield open
        open = { index, changes: [], isUncertain: false }
      }
      if (at.uncertain !== undefined) open.isUncertain = true
      const inside = at.change && clip(piece, at.change)
      if (at.change !== undefined && inside !== undefined) open.changes.push({ kind: at.change.kind, isHeld: at.change.isHeld, ...inside })
    }
  }
  if (open !== undefined) yield open
}
