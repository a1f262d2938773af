/**
 * How the address space of a disk is dealt out over several page blobs, the stripes, and back.
 *
 * Units of a fixed size go to the stripes in turn: unit `u` lies in stripe `u mod count`, there at place `u div count`. So
 * what any range of the disk has in one stripe is one range of that blob, and in a stripe addresses rise as they do on the
 * disk. The VHD footer is the end of that space: it lies in the stripe whose turn it is there. With one stripe the blob is
 * the disk, at the same addresses.
 */
import { GIB, MIB, TIB, type ByteRange } from './byte-range.ts'

export interface Striping {
  /** Number of stripes, at least 1. */
  readonly count: number
  /** A multiple of 4 MiB, so that no request crosses the border of a unit. */
  readonly unitBytes: number
}

export const ONE_STRIPE: Striping = { count: 1, unitBytes: GIB }
/**
 * Small, so that the requests in flight of a copy in address order are spread over all stripes; a few writes long, so
 * that seldom one is cut in two.
 */
export const STRIPE_UNIT_BYTES = 16 * MIB

/** 8 TiB: the largest page blob (learn.microsoft.com, storage-blob-scale-targets). */
export const MAX_STRIPE_BYTES = 8 * TIB

export function stripingOf(count: number): Striping {
  return count === 1 ? ONE_STRIPE : { count, unitBytes: STRIPE_UNIT_BYTES }
}

export function isSameStriping(a: Striping, b: Striping): boolean {
  return a.count === b.count && (a.count === 1 || a.unitBytes === b.unitBytes)
}

/** Bytes of each stripe of a disk that has `blobBytes` with its footer. */
export function stripeSizes(striping: Striping, blobBytes: number): number[] {
  return Array.from({ length: striping.count }, (_, stripe) => bytesBelow(striping, stripe, blobBytes))
}

/** What a range of the disk has in a stripe, in addresses of that blob; undefined where it has nothing there. */
export function partInStripe(striping: Striping, stripe: number, range: ByteRange): ByteRange | undefined {
  const startBytes = bytesBelow(striping, stripe, range.startBytes)
  const endBytes = bytesBelow(striping, stripe, range.endBytes)
  return startBytes < endBytes ? { startBytes, endBytes } : undefined
}

export function stripeAt({ count, unitBytes }: Striping, diskOffsetBytes: number): number {
  return Math.floor(diskOffsetBytes / unitBytes) % count
}

/** The address on the disk of a byte of a stripe. */
export function diskOffsetOf({ count, unitBytes }: Striping, stripe: number, offsetBytes: number): number {
  if (count === 1) return offsetBytes
  const place = Math.floor(offsetBytes / unitBytes)
  return (place * count + stripe) * unitBytes + (offsetBytes % unitBytes)
}

/** How many bytes of the stripe lie before an address of the disk. */
function bytesBelow({ count, unitBytes }: Striping, stripe: number, diskOffsetBytes: number): number {
  if (count === 1) return diskOffsetBytes
  const unit = Math.floor(diskOffsetBytes / unitBytes)
  const wholeUnits = Math.floor((unit - stripe + count - 1) / count)
  return wholeUnits * unitBytes + (unit % count === stripe ? diskOffsetBytes % unitBytes : 0)
}
