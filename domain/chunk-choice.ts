/** Which chunks a verification reads. Plain data, and the same answer for a chunk whoever asks: so extents and retries agree. */
export type ChunkChoice =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  | { readonly kind: 'sample'; readonly percent: number; readonly seed: number }
  /** Of `count` slices, each every so many-th chunk, these. */
  | { readonly kind: 'slices'; readonly count: number; readonly slices: readonly number[] }

export function isChosen(choice: ChunkChoice, index: number): boolean {
  switch (choice.kind) {
    case 'none':
      return false
    case 'all':
      return true
    case 'sample':
      return scatter(index, choice.seed) < (choice.percent / 100) * 2 ** 32
    case 'slices':
      return choice.slices.includes(index % choice.count)
  }
}

/**
 * The slices that are due on a day, so that every chunk is read once in `everyDays` days: that of the day, and those of the days since the
 * last one that was verified.
 *
 * @param day days since 1970.
 * @param lastDay the day up to which slices were read; undefined: none was.
 */
export function slicesDue(everyDays: number, day: number, lastDay: number | undefined): number[] {
  const first = Math.max(lastDay === undefined ? day : lastDay + 1, day - everyDays + 1)
  return Array.from({ length: Math.max(0, day - first + 1) }, (_, at) => (first + at) % everyDays)
}

/** Uniform in [0, 2^32): the finalizer of MurmurHash3 over index and seed. */
function scatter(index: number, seed: number): number {
  let mixed = (index ^ Math.imul(seed | 0, 0x9e3779b1)) >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
