/**
 * Lists of stripes as one list in addresses of the disk, merged lazily: one range of each stripe is held, however many there
 * are.
 */
import type { ByteRange } from './byte-range.ts'
import { diskOffsetOf, type Striping } from './stripes.ts'

interface Cursor<Item> {
  readonly stripe: number
  readonly iterator: AsyncIterator<Item>
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
  return lists.length === 1 && only !== undefined ? only : merged(striping, lists)
}

async function* merged<Item extends ByteRange>(striping: Striping, lists: readonly AsyncIterable<Item>[]): AsyncGenerator<Item> {
  const cursors = lists.map((list, stripe) => openCursor(list, stripe))
  try {
    await Promise.all(cursors.map((cursor) => pull(cursor, striping)))
    for (;;) {
      let first: Cursor<Item> | undefined
      for (const cursor of cursors) {
        if (cursor.diskOffsetBytes < (first?.diskOffsetBytes ?? Infinity)) first = cursor
      }
      if (first?.rest === undefined) return
      const { rest, diskOffsetBytes: startBytes } = first
      const unitEndBytes = (Math.floor(rest.startBytes / striping.unitBytes) + 1) * striping.unitBytes
      const pieceBytes = Math.min(rest.endBytes, unitEndBytes) - rest.startBytes
      yield { ...rest, startBytes, endBytes: startBytes + pieceBytes }
      if (rest.startBytes + pieceBytes < rest.endBytes) {
        hold(first, { ...rest, startBytes: rest.startBytes + pieceBytes }, striping)
      } else await pull(first, striping)
    }
  } finally {
    for (const { iterator } of cursors) await iterator.return?.()
  }
}

function openCursor<Item>(list: AsyncIterable<Item>, stripe: number): Cursor<Item> {
  return { stripe, iterator: list[Symbol.asyncIterator](), rest: undefined, diskOffsetBytes: Infinity }
}

async function pull<Item extends ByteRange>(cursor: Cursor<Item>, striping: Striping): Promise<void> {
  const { value, done } = await cursor.iterator.next()
  hold(cursor, done === true ? undefined : value, striping)
}

function hold<Item extends ByteRange>(cursor: Cursor<Item>, rest: Item | undefined, striping: Striping): void {
  cursor.rest = rest
  cursor.diskOffsetBytes = rest === undefined ? Infinity : diskOffsetOf(striping, cursor.stripe, rest.startBytes)
}
