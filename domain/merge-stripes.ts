/**
 * Lists of stripes as one list in addresses of the disk, merged lazily: one batch of each stripe is held, however long they
 * are.
 */
import { BatchCursor, BatchStream, MOST_OF_A_BATCH } from './batches.ts'
import type { ByteRange } from './byte-range.ts'
import { diskOffsetOf, type Striping } from './stripes.ts'

interface Cursor<Item> {
  readonly stripe: number
  readonly list: BatchCursor<Item>
  /** What is left of the present item, in addresses of the stripe. */
  rest: Item | undefined
  /** Where `rest` begins on the disk. */
  diskOffsetBytes: number
}

/**
 * @param lists one a stripe, in its order, each sorted and disjoint in addresses of its blob; closed when this ends, also
 * early. A range that goes over several units comes out in as many pieces.
 */
export function mergeStripes<Item extends ByteRange>(striping: Striping, lists: readonly AsyncGenerator<Item>[]): AsyncGenerator<Item> {
  const [only] = lists
  return lists.length === 1 && only !== undefined ? only : new BatchStream(merged(striping, lists))
}

async function* merged<Item extends ByteRange>(
  striping: Striping,
  lists: readonly AsyncIterable<Item>[],
): AsyncGenerator<readonly Item[], void, undefined> {
  const cursors = lists.map((list, stripe) => openCursor(list, stripe))
  let pieces: Item[] = []
  try {
    for (;;) {
      const dry = cursors.filter(({ list }) => list.isDry)
      if (pieces.length > 0 && (dry.length > 0 || pieces.length >= MOST_OF_A_BATCH)) {
        yield pieces
        pieces = []
      }
      await Promise.all(dry.map((cursor) => refill(cursor, striping)))
      let first: Cursor<Item> | undefined
      for (const cursor of cursors) {
        if (cursor.diskOffsetBytes < (first?.diskOffsetBytes ?? Infinity)) first = cursor
      }
      if (first?.rest === undefined) break
      const { rest, diskOffsetBytes: startBytes } = first
      const unitEndBytes = (Math.floor(rest.startBytes / striping.unitBytes) + 1) * striping.unitBytes
      const pieceBytes = Math.min(rest.endBytes, unitEndBytes) - rest.startBytes
      pieces.push({ ...rest, startBytes, endBytes: startBytes + pieceBytes })
      if (rest.startBytes + pieceBytes < rest.endBytes) hold(first, { ...rest, startBytes: rest.startBytes + pieceBytes }, striping)
      else {
        first.list.advance()
        hold(first, first.list.current, striping)
      }
    }
    if (pieces.length > 0) yield pieces
  } finally {
    for (const { list } of cursors) await list.close()
  }
}

function openCursor<Item>(list: AsyncIterable<Item>, stripe: number): Cursor<Item> {
  return { stripe, list: new BatchCursor(list), rest: undefined, diskOffsetBytes: Infinity }
}

async function refill<Item extends ByteRange>(cursor: Cursor<Item>, striping: Striping): Promise<void> {
  await cursor.list.refill()
  hold(cursor, cursor.list.current, striping)
}

function hold<Item extends ByteRange>(cursor: Cursor<Item>, rest: Item | undefined, striping: Striping): void {
  cursor.rest = rest
  cursor.diskOffsetBytes = rest === undefined ? Infinity : diskOffsetOf(striping, cursor.stripe, rest.startBytes)
}
