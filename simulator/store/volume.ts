/**
 * A volume: a sparse, copy-on-write address space of 512-byte pages.
 *
 * It is what lies under every managed disk, snapshot and page blob of the local Azure. A page is
 * either allocated (it was written; zeros count as written) or a hole (never written, or cleared).
 * `freeze` takes a point in time in constant time; what is frozen shares its pages with the volume it
 * came from, so an 8 TiB disk with little on it costs little, and so does each of its snapshots.
 *
 * Offsets and lengths are bytes and multiples of 512 wherever a change is made; reads may be unaligned.
 */

export const PAGE_BYTES = 512

/** Inclusive at both ends, as the page-blob REST API counts. */
export interface PageSpan {
  readonly startBytes: number
  readonly endBytes: number
}

/** One item of a diff: written since (`isClear: false`) or cleared since (`isClear: true`). */
export interface DiffSpan extends PageSpan {
  readonly isClear: boolean
}

/** What can be read of a volume, frozen or not. */
export interface ReadableVolume {
  readonly sizeBytes: number
  /**
   * Reads `lengthBytes` from `offsetBytes`; holes read as zeros. Into the beginning of `into`, where that is given and
   * large enough: new memory costs more than reading.
   */
  read(offsetBytes: number, lengthBytes: number, into?: Buffer): Promise<Buffer>
  /** Allocated spans in ascending order, adjacent ones merged, clipped to the window [fromBytes, toBytes). Lazy. */
  pageSpans(fromBytes?: number, toBytes?: number): Iterable<PageSpan>
  /** Bytes allocated now (not: unique). */
  allocatedBytes(): number
}

/** A point in time of a volume. Immutable. */
export interface FrozenVolume extends ReadableVolume {
  /** Names it in the journal. It is given when it is first asked for: what is never asked for is not kept. */
  readonly id: number
  /** A new independent volume with the same content (copy-on-write), as "disk from snapshot" or "Copy Blob". */
  fork(): Volume
  /**
   * What changed from `older` (a frozen ancestor of the same volume) to this one, ascending, disjoint,
   * clipped to the window. A page rewritten with identical bytes counts as written; a page written and cleared
   * since counts as cleared only if it was allocated in `older`.
   */
  diffSince(older: FrozenVolume, fromBytes?: number, toBytes?: number): Iterable<DiffSpan>
  /**
   * Inverts bits of one byte where it lies, as a disk that rots: everything that shares the page holds it then, and no list
   * and no diff tells. @returns false where nothing is allocated there.
   */
  rot(offsetBytes: number, mask: number): Promise<boolean>
}

/** A volume that can be changed. Changes are atomic per call and in call order. */
export interface Volume extends ReadableVolume {
  /** Names it in the journal. */
  readonly id: number
  write(offsetBytes: number, data: Buffer): Promise<void>
  clear(offsetBytes: number, lengthBytes: number): void
  /** Grows with holes, or cuts. */
  resize(sizeBytes: number): void
  /** The present content as a point in time, in O(1). */
  freeze(): FrozenVolume
  /** As that of a frozen volume. */
  rot(offsetBytes: number, mask: number): Promise<boolean>
  /** `freeze().diffSince(older)` without keeping the frozen one. */
  diffSince(older: FrozenVolume, fromBytes?: number, toBytes?: number): Iterable<DiffSpan>
}
