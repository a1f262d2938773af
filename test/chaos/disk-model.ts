/**
 * What a disk holds, byte for byte, told by nobody but whoever wrote it: the model that recovery points are held against.
 *
 * Pages that were never written are absent and read as zeros. Buffers are never changed in place, so a copy of the map is a
 * moment in time.
 */
import { GIB, KIB, MIB, PAGE_BYTES, type ByteRange } from '../../domain/byte-range.ts'

export type Content = ReadonlyMap<number, Buffer>

export interface DiskModel {
  readonly sizeBytes: number
  write(offsetBytes: number, data: Buffer): void
  clear(range: ByteRange): void
  /** To the next whole GiB. */
  grow(): void
  /** What it holds now; later changes do not reach it. */
  content(): Content
}

export function createDiskModel(firstBytes: number): DiskModel {
  const pages = new Map<number, Buffer>()
  let sizeBytes = firstBytes
  return {
    get sizeBytes() {
      return sizeBytes
    },
    write(offsetBytes, data) {
      for (let at = 0; at < data.length; at += PAGE_BYTES) {
        pages.set((offsetBytes + at) / PAGE_BYTES, Buffer.from(data.subarray(at, at + PAGE_BYTES)))
      }
    },
    clear({ startBytes, endBytes }) {
      for (let at = startBytes; at < endBytes; at += PAGE_BYTES) pages.delete(at / PAGE_BYTES)
    },
    grow() {
      sizeBytes = (Math.floor(sizeBytes / GIB) + 1) * GIB
    },
    content: () => new Map(pages),
  }
}

/**
 * Where a history changes a disk: the start, long enough for a request of 4 MiB and its rest, and both sides of every GiB border,
 * where the footer of a smaller disk lies after growth. And the end, where that is no such border.
 */
export function areasOf(sizeBytes: number): ByteRange[] {
  const borders = Array.from({ length: Math.ceil(sizeBytes / GIB) }, (_, index) => Math.min((index + 1) * GIB, sizeBytes))
  const atBorders = borders.map((borderBytes) => ({
    startBytes: borderBytes - 32 * KIB,
    endBytes: Math.min(borderBytes + 32 * KIB, sizeBytes),
  }))
  return [{ startBytes: 0, endBytes: 5 * MIB }, ...atBorders]
}

const ZEROS = Buffer.alloc(PAGE_BYTES)

/** Bytes of whole pages. */
export function bytesAt(content: Content, { startBytes, endBytes }: ByteRange): Buffer {
  const pages: Buffer[] = []
  for (let at = startBytes; at < endBytes; at += PAGE_BYTES) pages.push(content.get(at / PAGE_BYTES) ?? ZEROS)
  return Buffer.concat(pages)
}

/** The pages outside sorted, disjoint ranges that hold something other than zeros. */
export function dataOutside(content: Content, ranges: readonly ByteRange[]): number[] {
  const isInside = (offsetBytes: number): boolean =>
    ranges.some(({ startBytes, endBytes }) => startBytes <= offsetBytes && offsetBytes < endBytes)
  return [...content]
    .filter(([page, data]) => !isInside(page * PAGE_BYTES) && !data.equals(ZEROS))
    .map(([page]) => page * PAGE_BYTES)
}
