/**
 * From what must change to the requests that change it.
 *
 * A request never exceeds the platform's write limit and never leaves what was asked: touching ranges are
 * merged, gaps are not. A clear is one request however long it is.
 */
import { MAX_WRITE_BYTES, type ByteRange } from './byte-range.ts'

/** What the source asks of the base blob: `copy` bytes that were written, `clear` pages that were given up. */
export interface Change extends ByteRange {
  readonly kind: 'copy' | 'clear'
}

/** One page-blob request. A `copy` is at most 4 MiB. */
export type PageRequest = Change

/**
 * Plans the requests for a sorted stream of disjoint changes, lazily and in address order.
 * What the requests cover, by kind, is exactly what the changes cover.
 */
export async function* planRequests(changes: AsyncIterable<Change> | Iterable<Change>): AsyncGenerator<PageRequest> {
  let open: Change | undefined
  for await (const change of changes) {
    if (open !== undefined && open.kind === change.kind && open.endBytes === change.startBytes) {
      open = { kind: open.kind, startBytes: open.startBytes, endBytes: change.endBytes }
    } else {
      if (open !== undefined) yield* requestsOf(open)
      open = change
    }
    // Whole requests leave at once; a run of a terabyte is not held back until it ends.
    while (open.kind === 'copy' && open.endBytes - open.startBytes > MAX_WRITE_BYTES) {
      yield { kind: 'copy', startBytes: open.startBytes, endBytes: open.startBytes + MAX_WRITE_BYTES }
      open = { kind: 'copy', startBytes: open.startBytes + MAX_WRITE_BYTES, endBytes: open.endBytes }
    }
  }
  if (open !== undefined) yield* requestsOf(open)
}

function* requestsOf(change: Change): Generator<PageRequest> {
  if (change.endBytes > change.startBytes) yield change
}
