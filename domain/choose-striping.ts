/** Decides over how many stripes a disk is dealt out: what was asked for, else what is there, else what its size needs. */
import { GIB } from './byte-range.ts'
import { MAX_STRIPE_BYTES, stripeSizes, stripingOf, type Striping } from './stripes.ts'

/**
 * The largest disk that can come back: an upload takes at most 35,183,298,347,520 bytes with the footer
 * (`uploadSizeBytes`, learn.microsoft.com, disks create-or-update).
 */
export const MAX_DISK_BYTES = 32_767 * GIB
/** Holds the largest disk, so that a disk that once needed stripes is never dealt out anew because it grows. */
const LARGE_DISK_STRIPES = 5
export const MAX_STRIPES = 16

export interface StripingWish {
  /** Of a policy or a command. */
  readonly asked?: number | undefined
  /** Of the base blob that is there. */
  readonly present?: Striping | undefined
}

/** More than was asked for where so few cannot hold the disk. */
export function chooseStriping(blobBytes: number, { asked, present }: StripingWish = {}): Striping {
  const holdsDisk = (striping: Striping): boolean => Math.max(...stripeSizes(striping, blobBytes)) <= MAX_STRIPE_BYTES
  const isWanted = present !== undefined && (asked === undefined || asked === present.count)
  if (isWanted && holdsDisk(present)) return present
  const wanted = stripingOf(asked ?? 1)
  return holdsDisk(wanted) ? wanted : stripingOf(LARGE_DISK_STRIPES)
}
