/**
 * Sweeps several sorted lists of ranges side by side and yields the segments between their borders.
 *
 * Everything that compares lists (what was planned with what was written, the source's pages with the
 * base blob's) is one sweep, so it needs memory for one batch a list however many ranges there are.
 */
import { BatchCursor, BatchStream, MOST_OF_A_BATCH } from './batches.ts'
import type { ByteRange } from './byte-range.ts'

export type RangeStream<Item extends ByteRange = ByteRange> = AsyncIterable<Item> | Iterable<Item>

/** A stretch of address space and, for each list, the item that covers it. */
export interface Segment<Lists> extends ByteRange {
  readonly at: Readonly<Partial<Lists>>
}

type ItemsOf<Streams> = { [Name in keyof Streams]: Streams[Name] extends RangeStream<infer Item> ? Item : never }

interface Cursor {
  readonly name: string
  readonly list: BatchCursor<ByteRange>
  lastEndBytes: number
}

/**
 * Yields the covered segments in ascending order; stretches that no list covers are left out, and neighbouring
 * segments with equal cover are not merged. Lists are closed when the sweep ends, also early.
 *
 * @throws RangeError when a list is not sorted and disjoint: a list out of order means that ranges were lost or repeated.
 */
export function sweep<Streams extends Record<string, RangeStream>>(lists: Streams): BatchStream<Segment<ItemsOf<Streams>>> {
  return new BatchStream(segmentsOf<ItemsOf<Streams>>(Object.entries(lists).map(([name, list]) => openCursor(name, list))))
}

async function* segmentsOf<Items>(cursors: readonly Cursor[]): AsyncGenerator<readonly Segment<Items>[], void, undefined> {
  let atBytes = 0
  let segments: Segment<Items>[] = []
  try {
    for (;;) {
      const dry = cursors.filter(({ list }) => list.isDry)
      // Nothing that is known is held back while a list is waited for.
      if (segments.length > 0 && (dry.length > 0 || segments.length >= MOST_OF_A_BATCH)) {
        yield segments
        segments = []
      }
      await Promise.all(dry.map(refill))
      const segment = nextSegment<Items>(cursors, atBytes)
      if (segment === undefined) break
      segments.push(segment)
      atBytes = segment.endBytes
      for (const cursor of cursors) {
        while (cursor.list.current !== undefined && cursor.list.current.endBytes <= atBytes) advance(cursor)
      }
    }
    if (segments.length > 0) yield segments
  } finally {
    for (const { list } of cursors) await list.close()
  }
}

function nextSegment<Items>(cursors: readonly Cursor[], atBytes: number): Segment<Items> | undefined {
  let startBytes = Infinity
  for (const { list: { current } } of cursors) {
    if (current !== undefined) startBytes = Math.min(startBytes, Math.max(current.startBytes, atBytes))
  }
  if (startBytes === Infinity) return undefined
  let endBytes = Infinity
  const covering: Record<string, ByteRange> = {}
  for (const { name, list: { current } } of cursors) {
    if (current === undefined) continue
    const covers = current.startBytes <= startBytes
    endBytes = Math.min(endBytes, covers ? current.endBytes : current.startBytes)
    if (covers) covering[name] = current
  }
  return { startBytes, endBytes, at: covering as Partial<Items> }
}

function openCursor(name: string, list: RangeStream): Cursor {
  return { name, list: new BatchCursor(list), lastEndBytes: 0 }
}

async function refill(cursor: Cursor): Promise<void> {
  await cursor.list.refill()
  requireOrder(cursor)
}

function advance(cursor: Cursor): void {
  cursor.list.advance()
  requireOrder(cursor)
}

function requireOrder(cursor: Cursor): void {
  const { name, list: { current }, lastEndBytes } = cursor
  if (current === undefined) return
  if (current.startBytes < lastEndBytes || current.endBytes <= current.startBytes) {
    throw new RangeError(`list ${name} is not sorted: [${current.startBytes}, ${current.endBytes}) after ${lastEndBytes}`)
  }
  cursor.lastEndBytes = current.endBytes
}
