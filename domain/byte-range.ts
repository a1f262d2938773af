/**
 * Byte ranges of a disk's address space, half-open: `endBytes` is the first byte behind the range.
 *
 * The page-blob REST API counts inclusively; that ends at the edge (`azure/page-lists.ts`), so that a
 * length is always `endBytes - startBytes` in here.
 */

export const PAGE_BYTES = 512

/** Largest Put Page and Put Page From URL (REST reference of both calls). */
export const MAX_WRITE_BYTES = 4 * 1024 * 1024

export const KIB = 1024
export const MIB = 1024 * KIB
export const GIB = 1024 * MIB
export const TIB = 1024 * GIB

export interface ByteRange {
  readonly startBytes: number
  readonly endBytes: number
}

export function lengthOf(range: ByteRange): number {
  return range.endBytes - range.startBytes
}

export function totalBytes(ranges: Iterable<ByteRange>): number {
  let sum = 0
  for (const range of ranges) sum += lengthOf(range)
  return sum
}

/** The part of `range` inside `window`, or undefined where they do not meet. */
export function clip(range: ByteRange, window: ByteRange): ByteRange | undefined {
  const startBytes = Math.max(range.startBytes, window.startBytes)
  const endBytes = Math.min(range.endBytes, window.endBytes)
  return startBytes < endBytes ? { startBytes, endBytes } : undefined
}

/** Cuts a range into pieces of at most `maxBytes`, in order. */
export function* cut(range: ByteRange, maxBytes: number): Generator<ByteRange> {
  for (let startBytes = range.startBytes; startBytes < range.endBytes; startBytes += maxBytes) {
    yield { startBytes, endBytes: Math.min(startBytes + maxBytes, range.endBytes) }
  }
}

/** Sorted, disjoint and merged where they touch: the canonical form of any set of ranges. */
export function normalize(ranges: Iterable<ByteRange>): ByteRange[] {
  const sorted = [...ranges].sort((a, b) => a.startBytes - b.startBytes)
  const merged: ByteRange[] = []
  for (const range of sorted) {
    const last = merged.at(-1)
    if (last !== undefined && range.startBytes <= last.endBytes) {
      merged[merged.length - 1] = { startBytes: last.startBytes, endBytes: Math.max(last.endBytes, range.endBytes) }
    } else if (lengthOf(range) > 0) {
      merged.push({ startBytes: range.startBytes, endBytes: range.endBytes })
    }
  }
  return merged
}

/**
 * A cover of `ranges` by at most `maxCount` ranges: the smallest gaps are filled first. For lists that must stay small
 * enough to be carried in workflow history, where a superset does no harm.
 */
export function coarsen(ranges: Iterable<ByteRange>, maxCount: number): ByteRange[] {
  const merged = normalize(ranges)
  if (merged.length <= maxCount) return merged
  const gaps = merged.slice(1).map((range, index) => ({ index: index + 1, bytes: range.startBytes - merged[index]!.endBytes }))
  const kept = new Set(
    gaps
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, maxCount - 1)
      .map((gap) => gap.index),
  )
  const cover: ByteRange[] = []
  for (const [index, range] of merged.entries()) {
    const last = cover.at(-1)
    if (last === undefined || kept.has(index)) cover.push(range)
    else cover[cover.length - 1] = { startBytes: last.startBytes, endBytes: range.endBytes }
  }
  return cover
}

/** For messages: `[4096, 8192)`, several joined, the tail counted. */
export function describeRanges(ranges: readonly ByteRange[], shown = 8): string {
  const head = ranges.slice(0, shown).map((range) => `[${range.startBytes}, ${range.endBytes})`)
  return ranges.length > shown ? `${head.join(' ')} and ${ranges.length - shown} more` : head.join(' ')
}
