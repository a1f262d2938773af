/** Reads ranges on both sides and says which differ. Both sides are read by the worker: nobody's word is taken. */
import { cut, MAX_WRITE_BYTES, type ByteRange } from '../domain/byte-range.ts'
import { runRequests } from './request-pool.ts'

export type ReadRange = (range: ByteRange, signal: AbortSignal) => Promise<Uint8Array>

export interface Comparison {
  readonly comparedBytes: number
  /** In address order, at most 4 MiB each. */
  readonly differing: readonly ByteRange[]
}

/** Memory stays at 2 sides x 4 requests x 4 MiB. */
const COMPARISONS_IN_FLIGHT = 4

/** @param ranges sorted and disjoint. */
export async function compareBytes(
  ranges: AsyncIterable<ByteRange> | Iterable<ByteRange>,
  expected: ReadRange,
  actual: ReadRange,
  options: { readonly signal?: AbortSignal | undefined; readonly onProgress?: (comparedBytes: number) => void } = {},
): Promise<Comparison> {
  const differing: ByteRange[] = []
  let comparedBytes = 0
  await runRequests(pieces(ranges), {
    concurrency: COMPARISONS_IN_FLIGHT,
    signal: options.signal,
    run: async (range, signal) => {
      const [wanted, found] = await Promise.all([expected(range, signal), actual(range, signal)])
      if (!Buffer.from(wanted.buffer, wanted.byteOffset, wanted.byteLength).equals(found)) differing.push(range)
    },
    onDone: (range) => {
      comparedBytes += range.endBytes - range.startBytes
      options.onProgress?.(comparedBytes)
    },
  })
  return { comparedBytes, differing: differing.sort((a, b) => a.startBytes - b.startBytes) }
}

async function* pieces(ranges: AsyncIterable<ByteRange> | Iterable<ByteRange>): AsyncGenerator<ByteRange> {
  for await (const range of ranges) yield* cut(range, MAX_WRITE_BYTES)
}
