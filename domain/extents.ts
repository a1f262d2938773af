/**
 * Cuts a disk's address space into extents by arithmetic alone, so that every attempt of a run and
 * every worker cuts it the same way and no list of ranges has to be carried in history.
 */
import { GIB, type ByteRange } from './byte-range.ts'

/** Few activities for small disks (each costs Temporal actions), small loss for large ones. */
const MIN_EXTENT_BYTES = 64 * GIB
/** Bounds the history of a run: 32 extents are under 200 events. */
const MAX_EXTENTS = 32

export interface Extent extends ByteRange {
  readonly index: number
  readonly count: number
}

/**
 * The extents of a blob of `sizeBytes` (disk and VHD footer), in order; the last one may be shorter, or up to a GiB longer.
 * Borders are whole GiB, so no write of up to 4 MiB that is aligned to its own size crosses one.
 */
export function cutIntoExtents(sizeBytes: number): Extent[] {
  const perExtent = Math.max(MIN_EXTENT_BYTES, Math.ceil(sizeBytes / MAX_EXTENTS / GIB) * GIB)
  // The footer's 512 bytes behind a round size must not become an extent of their own.
  const count = Math.max(1, Math.ceil((sizeBytes - GIB) / perExtent))
  return Array.from({ length: count }, (_, index) => ({
    index,
    count,
    startBytes: index * perExtent,
    endBytes: index === count - 1 ? sizeBytes : (index + 1) * perExtent,
  }))
}
