/** Sums of parts of a chunk, from bytes that are read. */
import { rawCrc64 } from '../azure/crc64.ts'
import { lengthOf, PAGE_BYTES, totalBytes, type ByteRange } from '../domain/byte-range.ts'
import { xor, ZERO, type Word64 } from '../domain/crc64-algebra.ts'
import { placeInChunk } from '../domain/digest-table.ts'
import type { ReadRange } from './compare-bytes.ts'

/** A gap of this length costs less to read along than another request does (500 requests a second, 60 MiB/s). */
const NEAR_BYTES = 64 * 1024

/** The raw sum of the chunk with only these ranges in it, zeros elsewhere. @param ranges sorted, disjoint, within the chunk. */
export async function readSum(read: ReadRange, ranges: readonly ByteRange[], chunk: ByteRange, signal: AbortSignal): Promise<Word64> {
  let sum = ZERO
  for (const group of nearGroups(ranges)) {
    const span = { startBytes: group[0]!.startBytes, endBytes: group.at(-1)!.endBytes }
    const data = await read(span, signal)
    for (const range of group) {
      const part = data.subarray(range.startBytes - span.startBytes, range.endBytes - span.startBytes)
      sum = xor(sum, placeInChunk(rawCrc64(part), range, chunk))
    }
  }
  return sum
}

export function pagesOf(ranges: readonly ByteRange[]): number {
  return totalBytes(ranges) / PAGE_BYTES
}

/** What `readSum` reads for these ranges. */
export function readBytesOf(ranges: readonly ByteRange[]): number {
  return totalBytes(nearGroups(ranges).map((group) => ({ startBytes: group[0]!.startBytes, endBytes: group.at(-1)!.endBytes })))
}

function nearGroups(ranges: readonly ByteRange[]): ByteRange[][] {
  const groups: ByteRange[][] = []
  for (const range of ranges) {
    if (lengthOf(range) === 0) continue
    const group = groups.at(-1)
    if (group !== undefined && range.startBytes - group.at(-1)!.endBytes <= NEAR_BYTES) group.push(range)
    else groups.push([range])
  }
  return groups
}
