/**
 * A sorted, persistent map from address runs of a volume to where their bytes lie in the data file.
 *
 * Every write of a page goes to a new location, so a location is also the version of what it holds: two points in time
 * hold the same write of a page exactly when they name the same location. Nothing else is kept to tell them apart.
 *
 * Leaves are immutable and shared between a map and its snapshots; only the list of leaves is copied, once, by the
 * first change after a snapshot. A run takes about 30 bytes of heap, whatever its length and the size of the
 * volume.
 */

/** Small enough that copying a leaf for one write is cheap, large enough that a million runs need few leaves. */
const MAX_RUNS_PER_LEAF = 128
const MIN_RUNS_PER_LEAF = MAX_RUNS_PER_LEAF / 4

/** A stretch of runs, ascending. The journal keeps leaves as they are, and so what maps share stays shared. */
export interface Leaf {
  readonly starts: number[]
  readonly ends: number[]
  readonly locations: number[]
}

const NO_RUNS: Leaf = { starts: [], ends: [], locations: [] }

/** Where iteration over runs can start. */
export interface RunSource {
  /** A cursor at the first run that ends behind `offsetBytes`, found in O(log n). */
  cursorAt(offsetBytes: number): RunCursor
}

/** Walks runs upwards. Fields describe the present run; they are meaningless once `isDone`. */
export class RunCursor {
  readonly #leaves: readonly Leaf[]
  #leafIndex: number
  #runIndex: number
  isDone = false
  startBytes = 0
  /** Exclusive. */
  endBytes = 0
  /** Of the byte at `startBytes`, in the data file. */
  location = 0

  constructor(leaves: readonly Leaf[], leafIndex: number, runIndex: number) {
    this.#leaves = leaves
    this.#leafIndex = leafIndex
    this.#runIndex = runIndex
    this.#load()
  }

  next(): void {
    this.#runIndex += 1
    this.#load()
  }

  /** True when both stand on the same run of a shared leaf: from here to the end of the leaf they are equal. */
  sharesLeafWith(other: RunCursor): boolean {
    return (
      !this.isDone &&
      !other.isDone &&
      this.#runIndex === other.#runIndex &&
      this.#leaves[this.#leafIndex] === other.#leaves[other.#leafIndex]
    )
  }

  skipLeaf(): void {
    this.#leafIndex += 1
    this.#runIndex = 0
    this.#load()
  }

  #load(): void {
    const present = this.#leaves[this.#leafIndex]
    if (present !== undefined && this.#runIndex >= present.starts.length) {
      this.#leafIndex += 1
      this.#runIndex = 0
    }
    const leaf = this.#leaves[this.#leafIndex]
    if (leaf === undefined) {
      this.isDone = true
      return
    }
    this.startBytes = leaf.starts[this.#runIndex]!
    this.endBytes = leaf.ends[this.#runIndex]!
    this.location = leaf.locations[this.#runIndex]!
  }
}

/** The runs of a point in time. Immutable. */
export class RunSnapshot implements RunSource {
  readonly leaves: readonly Leaf[]
  readonly coveredBytes: number

  constructor(leaves: readonly Leaf[], coveredBytes: number) {
    this.leaves = leaves
    this.coveredBytes = coveredBytes
  }

  cursorAt(offsetBytes: number): RunCursor {
    return cursorAt(this.leaves, offsetBytes)
  }
}

/** The runs of a volume that changes. `replace` is the only change there is. */
export class RunMap implements RunSource {
  #leaves: readonly Leaf[]
  /** The same list while no snapshot shares it, and so it may be changed in place. */
  #ownLeaves: Leaf[] | undefined
  #coveredBytes: number

  /** Starts empty, or with what `origin` holds. */
  constructor(origin?: RunSnapshot) {
    this.#leaves = origin?.leaves ?? []
    this.#coveredBytes = origin?.coveredBytes ?? 0
  }

  get coveredBytes(): number {
    return this.#coveredBytes
  }

  /** False after the first change since the snapshot was taken. */
  isStill(snapshot: RunSnapshot): boolean {
    return this.#leaves === snapshot.leaves
  }

  /** Valid until the next `replace`; take a snapshot for a longer walk. */
  cursorAt(offsetBytes: number): RunCursor {
    return cursorAt(this.#leaves, offsetBytes)
  }

  /** O(1). */
  snapshot(): RunSnapshot {
    this.#ownLeaves = undefined
    return new RunSnapshot(this.#leaves, this.#coveredBytes)
  }

  /** Makes [startBytes, endBytes) one run at `location`, or a hole when there is no location. */
  replace(startBytes: number, endBytes: number, location?: number): void {
    const first = leafIndexAt(this.#leaves, startBytes)
    let last = leafIndexAt(this.#leaves, endBytes - 1)
    const middle = location === undefined ? NO_RUNS : singleRun(startBytes, endBytes, location)
    let merged = joined(
      joined(runsBefore(this.#leaves[first], startBytes), middle),
      runsFrom(this.#leaves[last], endBytes),
    )
    if (merged.starts.length < MIN_RUNS_PER_LEAF && last + 1 < this.#leaves.length) {
      last += 1
      merged = joined(merged, runsFrom(this.#leaves[last], endBytes))
    }
    this.#swap(first, last, split(merged))
  }

  #swap(first: number, last: number, replacement: Leaf[]): void {
    for (let index = first; index <= last; index += 1) this.#coveredBytes -= leafBytes(this.#leaves[index])
    for (const leaf of replacement) this.#coveredBytes += leafBytes(leaf)
    const leaves = this.#requireOwnLeaves()
    const [only] = replacement
    if (first === last && replacement.length === 1 && only !== undefined) leaves[first] = only
    else leaves.splice(first, last - first + 1, ...replacement)
  }

  #requireOwnLeaves(): Leaf[] {
    this.#ownLeaves ??= this.#leaves.slice()
    this.#leaves = this.#ownLeaves
    return this.#ownLeaves
  }
}

function cursorAt(leaves: readonly Leaf[], offsetBytes: number): RunCursor {
  const leafIndex = leafIndexAt(leaves, offsetBytes)
  return new RunCursor(leaves, leafIndex, countBelow(leaves[leafIndex]?.ends ?? [], offsetBytes + 1))
}

/** The last leaf that starts at or before the offset; the first leaf when none does. */
function leafIndexAt(leaves: readonly Leaf[], offsetBytes: number): number {
  let low = 0
  let high = leaves.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (leaves[middle]!.starts[0]! <= offsetBytes) low = middle + 1
    else high = middle
  }
  return low === 0 ? 0 : low - 1
}

function singleRun(startBytes: number, endBytes: number, location: number): Leaf {
  return { starts: [startBytes], ends: [endBytes], locations: [location] }
}

/** What of the leaf lies before the offset. */
function runsBefore(leaf: Leaf | undefined, offsetBytes: number): Leaf {
  if (leaf === undefined) return NO_RUNS
  const count = countBelow(leaf.starts, offsetBytes)
  const ends = leaf.ends.slice(0, count)
  if (count > 0 && ends[count - 1]! > offsetBytes) ends[count - 1] = offsetBytes
  return { starts: leaf.starts.slice(0, count), ends, locations: leaf.locations.slice(0, count) }
}

/** What of the leaf lies at or behind the offset. */
function runsFrom(leaf: Leaf | undefined, offsetBytes: number): Leaf {
  if (leaf === undefined) return NO_RUNS
  const skipped = countBelow(leaf.ends, offsetBytes + 1)
  const starts = leaf.starts.slice(skipped)
  const locations = leaf.locations.slice(skipped)
  const cut = offsetBytes - (starts[0] ?? offsetBytes)
  if (cut > 0) {
    starts[0] = offsetBytes
    locations[0] = locations[0]! + cut
  }
  return { starts, ends: leaf.ends.slice(skipped), locations }
}

/** Both in order; one run where the addresses and the locations go on over the seam without a gap. */
function joined(left: Leaf, right: Leaf): Leaf {
  const last = left.starts.length - 1
  if (last < 0) return right
  if (right.starts.length === 0) return left
  const start = left.starts[last]!
  const end = left.ends[last]!
  const isSeamless = end === right.starts[0] && left.locations[last]! + end - start === right.locations[0]
  if (!isSeamless) {
    return {
      starts: left.starts.concat(right.starts),
      ends: left.ends.concat(right.ends),
      locations: left.locations.concat(right.locations),
    }
  }
  return {
    starts: left.starts.concat(right.starts.slice(1)),
    ends: left.ends.slice(0, last).concat(right.ends),
    locations: left.locations.concat(right.locations.slice(1)),
  }
}

/** How many of the ascending values are less than the limit. */
function countBelow(values: readonly number[], limit: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < limit) low = middle + 1
    else high = middle
  }
  return low
}

function split(leaf: Leaf): Leaf[] {
  const count = leaf.starts.length
  if (count === 0) return []
  if (count <= MAX_RUNS_PER_LEAF) return [leaf]
  const pieces = Math.ceil(count / MAX_RUNS_PER_LEAF)
  return Array.from({ length: pieces }, (_, piece) => {
    const from = Math.floor((count * piece) / pieces)
    const to = Math.floor((count * (piece + 1)) / pieces)
    return {
      starts: leaf.starts.slice(from, to),
      ends: leaf.ends.slice(from, to),
      locations: leaf.locations.slice(from, to),
    }
  })
}

function leafBytes(leaf: Leaf | undefined): number {
  if (leaf === undefined) return 0
  let covered = 0
  for (let index = 0; index < leaf.starts.length; index += 1) {
    covered += leaf.ends[index]! - leaf.starts[index]!
  }
  return covered
}
