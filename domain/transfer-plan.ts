/**
 * From what must change to the requests that change it.
 *
 * A request never exceeds the platform's write limit and never leaves what was asked: touching ranges are
 * merged, gaps are not (those worth it have been filled before, `fill-gaps.ts`). A clear is one request however long
 * it is.
 */
import { batchesOf } from './batches.ts'
import { lengthOf, MAX_WRITE_BYTES, type ByteRange } from './byte-range.ts'

/**
 * What the source asks of the base blob: `copy` bytes that were written, `clear` pages that were given up. `same`: nothing, the base
 * blob holds these bytes already; it is told so that it can be counted.
 */
export interface Change extends ByteRange {
  readonly kind: 'copy' | 'clear' | 'same'
}

/** One page-blob request, or none for `same`. A `copy` is at most 4 MiB. */
export type PageRequest = Change

/**
 * Plans the requests for a sorted stream of disjoint changes, lazily and in address order.
 * What the requests cover, by kind, is exactly what the changes cover.
 */
export async function* planRequests(changes: AsyncIterable<Change> | Iterable<Change>): AsyncGenerator<PageRequest> {
  let open: Change | undefined
  for await (const batch of batchesOf(changes)) {
    for (const { kind, startBytes, endBytes } of batch) {
      if (open !== undefined && isContinued(open, kind, startBytes)) open = { kind, startBytes: open.startBytes, endBytes }
      else {
        if (open !== undefined && lengthOf(open) > 0) yield open
        open = { kind, startBytes, endBytes }
      }
      // Whole requests leave at once; a run of a terabyte is not held back until it ends.
      while (open.kind !== 'clear' && open.endBytes > endOfRequestAt(open.startBytes)) {
        const endOfFirst = endOfRequestAt(open.startBytes)
        yield { kind, startBytes: open.startBytes, endBytes: endOfFirst }
        open = { kind, startBytes: endOfFirst, endBytes: open.endBytes }
      }
    }
  }
  if (open !== undefined && lengthOf(open) > 0) yield open
}

/**
 * Where a copy that starts here ends at the latest: at the next multiple of 4 MiB. So a request lies within one chunk of the
 * digest table, its checksum counts for that chunk alone, and the requests of a chunk do not depend on what lies before it.
 * A long run costs at most one request more than it would from its own start.
 */
export function endOfRequestAt(startBytes: number): number {
  return (Math.floor(startBytes / MAX_WRITE_BYTES) + 1) * MAX_WRITE_BYTES
}

function isContinued(open: Change, kind: Change['kind'], startBytes: number): boolean {
  return open.kind === kind && open.endBytes === startBytes && (kind === 'clear' || startBytes % MAX_WRITE_BYTES !== 0)
}
