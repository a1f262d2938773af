/**
 * Sweeps several sorted lists of ranges side by side and yields the segments between their borders.
 *
 * Everything that compares lists (what was planned with what was written, the source's pages with the
 * base blob's) is one sweep, so it needs memory for one range a list however many ranges there are.
 */
import type { ByteRange } from './byte-range.ts'

export type RangeStream<Item extends ByteRange = ByteRange> = AsyncIterable<Item> | Iterable<Item>

/** A stretch of address space and, for each list, the item that covers it. */
export interface Segment<Lists> extends ByteRange {
  readonly at: Readonly<Partial<Lists>>
}

type ItemsOf<Streams> = { [Name in keyof Streams]: Streams[Name] extends RangeStream<infer Item> ? Item : never }

interface Cursor {
  readonly name: string
  readonly iterator: AsyncIterator<ByteRange> | Iterator<ByteRange>
  current: ByteRange | undefined
  lastEndBytes: number
}

/**
 * Yields the covered segments in ascending order; stretches that no list covers are left out, and neighbouring
 * segments with equal cover are not merged. Lists are closed when the sweep ends, also early.
 *
 * @throws RangeError when a list is not sorted and disjoint: a list out of order means that ranges were lost or repeated.
 */
export async function* sweep<Streams extends Record<string, RangeStream>>(lists: Streams): AsyncGenerator<Segment<ItemsOf<Streams>>> {
  const cursors = Object.entries(lists).map(([name, list]) => openCursor(name, list))
  try {
    for (const cursor of cursors) await advance(cursor)
    let atBytes = 0
    for (;;) {
      let startBytes = Infinity
      for (const { current } of cursors) {
        if (current !== undefined) startBytes = Math.min(startBytes, Math.max(current.startBytes, atBytes))
      }
      if (startBytes === Infinity) return
      let endBytes = Infinity
      const covering: Record<string, ByteRange> = {}
      for (const { name, current } of cursors) {
        if (current === undefined) continue
        const covers = current.startBytes <= startBytes
        endBytes = Math.min(endBytes, covers ? current.endBytes : current.startBytes)
        if (covers) covering[name] = current
      }
      yield { startBytes, endBytes, at: covering as Partial<ItemsOf<Streams>> }
      atBytes = endBytes
      for (const cursor of cursors) {
        while (cursor.current !== undefined && cursor.current.endBytes <= atBytes) await advance(cursor)
      }
    }
  } finally {
    for (const { iterator } of cursors) await iterator.return?.()
  }
}

function openCursor(name: string, list: RangeStream): Cursor {
  const iterator = Symbol.asyncIterator in list ? list[Symbol.asyncIterator]() : list[Symbol.iterator]()
  return { name, iterator, current: undefined, lastEndBytes: 0 }
}

async function advance(cursor: Cursor): Promise<void> {
  const { value, done } = await cursor.iterator.next()
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
