/** Sums of parts of a chunk, from bytes that are read. */
import { rawCrc64 } from '../azure/crc64.ts'
import { lengthOf, PAGE_BYTES, totalBytes, type ByteRange } from '../domain/byte-range.ts'
import { xor, ZERO, type Word64 } from '../domain/crc64-algebra.ts'
import { placeInChunk } from '../domain/digest-table.ts'
import { mapConcurrent } from '../domain/map-concurrent.ts'
import type { ReadRange } from './compare-bytes.ts'

/** What one request reads. */
interface Span extends ByteRange {
  readonly ranges: readonly ByteRange[]
}

/** A gap of this length costs less to read along than another request does (500 requests a second, 60 MiB/s). */
const NEAR_BYTES = 64 * 1024
/** Of one chunk, so together they hold no more than it. */
const READS_IN_FLIGHT = 4

/** The raw sum of the chunk with only these ranges in it, zeros elsewhere. @param ranges sorted, disjoint, within the chunk. */
export async function readSum(read: ReadRange, ranges: readonly ByteRange[], chunk: ByteRange, signal: AbortSignal): Promise<Word64> {
  let sum = ZERO
  await mapConcurrent(spansOf(ranges), READS_IN_FLIGHT, async (span) => {
    const data = await read({ startBytes: span.startBytes, endBytes: span.endBytes }, signal)
    for (const range of span.ranges) {
      const part = data.subarray(range.startBytes - span.startBytes, range.endBytes - span.startBytes)
      sum = xor(sum, placeInChunk(rawCrc64(part), range, chunk))
    }
  })
  return sum
}

export function pagesOf(ranges: readonly ByteRange[]): number {
  return totalBytes(ranges) / PAGE_BYTES
}

/** What `readSum` reads for these ranges. */
export function readBytesOf(ranges: readonly ByteRange[]): number {
  return totalBytes(spansOf(ranges))
}

/** Sorted and disjoint; ranges that are near each other are read in one. */
function spansOf(ranges: readonly ByteRange[]): Span[] {
  const groups: ByteRange[][] = []
  for (const range of ranges) {
    if (lengthOf(range) === 0) continue
    const group = groups.at(-1)
    if (group !== undefined && range.startBytes - group.at(-1)!.endBytes <= NEAR_BYTES) group.push(range)
    else groups.push([range])
  }
  return groups.map((group) => ({ startBytes: group[0]!.startBytes, endBytes: group.at(-1)!.endBytes, ranges: group }))
}
