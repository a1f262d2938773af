/** What the digests of a point should be, by the model: the bytes of the point have been held against it already. */
import { PAGE_BYTES } from '../../domain/byte-range.ts'
import { CHUNK_BYTES, chunkIndexAt } from '../../domain/digest-table.ts'
import { sumOfBytes, type Piece, type SumOfChunk } from '../support/check-digests.ts'
import type { Content } from './disk-model.ts'

interface ModelSums {
  readonly whole: ReadonlyMap<number, string>
  /** Of the chunk that ends with the footer. */
  readonly last: readonly Piece[]
}

/** A point is looked at again behind every run that follows. */
const known = new WeakMap<Content, ModelSums>()

/** @param footer of the point, as no model knows it. */
export function sumsOfModel(content: Content, sizeBytes: number, footer: Buffer): SumOfChunk {
  const sums = known.get(content) ?? sumsOf(content, sizeBytes)
  known.set(content, sums)
  const lastIndex = chunkIndexAt(sizeBytes)
  const footerAt = sizeBytes - lastIndex * CHUNK_BYTES
  return async (index) =>
    index === lastIndex ? sumOfBytes(footerAt + footer.length, [...sums.last, [footerAt, footer]]) : sums.whole.get(index)
}

function sumsOf(content: Content, sizeBytes: number): ModelSums {
  const pieces = new Map<number, Piece[]>()
  for (const [page, data] of content) {
    const index = chunkIndexAt(page * PAGE_BYTES)
    const piece = [page * PAGE_BYTES - index * CHUNK_BYTES, data] as const
    const ofChunk = pieces.get(index) ?? []
    ofChunk.push(piece)
    pieces.set(index, ofChunk)
  }
  const whole = new Map<number, string>()
  for (const [index, ofChunk] of pieces) {
    const sum = sumOfBytes(CHUNK_BYTES, ofChunk)
    if (sum !== undefined) whole.set(index, sum)
  }
  return { whole, last: pieces.get(chunkIndexAt(sizeBytes)) ?? [] }
}
