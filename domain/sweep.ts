/**
 * Sweeps several sorted lists of ranges side by side and yields the segments between their borders.
 *
 * Everything that compares lists (what was planned with what was written, the source's pages with the
 * base blob's) is one sweep, so it needs memory for one batch a list however many ranges there are.
 */
import { batchesOf, BatchStream, MOST_OF_A_BATCH } from './batches.ts'
import type { ByteRange } from './byte-range.ts'

export type RangeStream<Item extends ByteRange = ByteRange> = AsyncIterable<Item> | Iterable<Item>

/** A stretch of address space and, for each list, the item that covers it. */
export interface Segment<Lists> extends ByteRange {
  readonly at: Readonly<Partial<Lists>>
}

type ItemsOf<Streams> = { [Name in keyof Streams]: Streams[Name] extends RangeStream<infer Item> ? Item : never }

interface Cursor {
  readonly name: string
  readonly batches: AsyncGenerator<readonly ByteRange[], void, undefined>
  batch: readonly ByteRange[]
  /** Of `current` in `batch`. */
  index: number
  /** undefined: another batch must be waited for, or the list has ended. */
  current: ByteRange | undefined
  hasEnded: boolean
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
      const dry = cursors.filter(isDry)
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
        while (cursor.current !== undefined && cursor.current.endBytes <= atBytes) hold(cursor, cursor.index + 1)
      }
    }
    if (segments.length > 0) yield segments
  } finally {
    for (const { batches } of cursors) await batches.return()
  }
}

function nextSegment<Items>(cursors: readonly Cursor[], atBytes: number): Segment<Items> | undefined {
  let startBytes = Infinity
  for (const { current } of cursors) {
    if (current !== undefined) startBytes = Math.min(startBytes, Math.max(current.startBytes, atBytes))
  }
  if (startBytes === Infinity) return undefined
  let endBytes = Infinity
  const covering: Record<string, ByteRange> = {}
  for (const { name, current } of cursors) {
    if (current === undefined) continue
    const covers = current.startBytes <= startBytes
    endBytes = Math.min(endBytes, covers ? current.endBytes : current.startBytes)
    if (covers) covering[name] = current
  }
  return { startBytes, endBytes, at: covering as Partial<Items> }
}

function openCursor(name: string, list: RangeStream): Cursor {
  return { name, batches: batchesOf(list), batch: [], index: 0, current: undefined, hasEnded: false, lastEndBytes: 0 }
}

function isDry({ current, hasEnded }: Cursor): boolean {
  return current === undefined && !hasEnded
}

async function refill(cursor: Cursor): Promise<void> {
  const { value, done } = await cursor.batches.next()
  if (done === true) {
    cursor.hasEnded = true
    return
  }
  cursor.batch = value
  hold(cursor, 0)
}

function hold(cursor: Cursor, index: number): void {
  const item = cursor.batch[index]
  cursor.index = index
  cursor.current = item
  if (item === undefined) return
  if (item.startBytes < cursor.lastEndBytes || item.endBytes <= item.startBytes) {
    throw new RangeError(`list ${cursor.name} is not sorted: [${item.startBytes}, ${item.endBytes}) after ${cursor.lastEndBytes}`)
  }
  cursor.lastEndBytes = item.endBytes
}
