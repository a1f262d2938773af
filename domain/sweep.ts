/**
 * Sweeps several sorted lists of ranges side by side and yields the segments between their borders.
 *
 * Everything that compares lists (what was planned with what was written, the source's pages with the
 * base blob's) is one sweep, so it needs memory for one range a list however many ranges there are.
 */
import type { ByteRange } from './byte-range.ts'

export type RangeStream = AsyncIterable<ByteRange> | Iterable<ByteRange>

/** A stretch of address space and, for each named list, whether it covers the stretch. */
export interface Segment<Name extends string> extends ByteRange {
  readonly in: Readonly<Record<Name, boolean>>
}

interface Cursor {
  readonly name: string
  readonly next: () => Promise<IteratorResult<ByteRange>> | IteratorResult<ByteRange>
  current: ByteRange | undefined
  lastEndBytes: number
}

/**
 * Yields the covered segments in ascending order; stretches that no list covers are left out, and neighbouring
 * segments with equal membership are not merged.
 *
 * @throws RangeError when a list is not sorted and disjoint: a list out of order means that ranges were lost or repeated.
 */
export async function* sweep<Name extends string>(lists: Readonly<Record<Name, RangeStream>>): AsyncGenerator<Segment<Name>> {
  const cursors = (Object.keys(lists) as Name[]).map((name) => openCursor(name, lists[name]))
  for (const cursor of cursors) await advance(cursor)
  let atBytes = 0
  for (;;) {
    let nextBorder = Infinity
    let startBytes = Infinity
    for (const { current } of cursors) {
      if (current === undefined) continue
      startBytes = Math.min(startBytes, Math.max(current.startBytes, atBytes))
    }
    if (startBytes === Infinity) return
    const membership: Record<string, boolean> = {}
    for (const { name, current } of cursors) {
      const covers = current !== undefined && current.startBytes <= startBytes
      membership[name] = covers
      if (current !== undefined) nextBorder = Math.min(nextBorder, covers ? current.endBytes : current.startBytes)
    }
    yield { startBytes, endBytes: nextBorder, in: membership as Record<Name, boolean> }
    atBytes = nextBorder
    for (const cursor of cursors) {
      while (cursor.current !== undefined && cursor.current.endBytes <= atBytes) await advance(cursor)
    }
  }
}

function openCursor(name: string, list: RangeStream): Cursor {
  const iterator = Symbol.asyncIterator in list ? list[Symbol.asyncIterator]() : list[Symbol.iterator]()
  return { name, next: () => iterator.next(), current: undefined, lastEndBytes: 0 }
}

async function advance(cursor: Cursor): Promise<void> {
  const { value, done } = await cursor.next()
  if (done === true) {
    cursor.current = undefined
    return
  }
  if (value.startBytes < cursor.lastEndBytes || value.endBytes <= value.startBytes) {
    throw new RangeError(`list ${cursor.name} is not sorted: [${value.startBytes}, ${value.endBytes}) after ${cursor.lastEndBytes}`)
  }
  cursor.current = value
  cursor.lastEndBytes = value.endBytes
}
