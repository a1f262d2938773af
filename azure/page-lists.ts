/**
 * Which pages of a blob are allocated, and which have changed since an earlier snapshot of it.
 *
 * Own REST, because the SDK counts ranges one byte short, does not page a managed-disk diff and drops its continuation
 * silently (Get Page Ranges, `getPageRangesDiffForManagedDisks`). Every list is complete, in address order, disjoint
 * and inside its window, or it is an error. Held are the page that was just read, and the next one.
 */
import { BatchStream, MOST_OF_A_BATCH, throughBatches } from '../domain/batches.ts'
import { clip, lengthOf, MIB, PAGE_BYTES, type ByteRange } from '../domain/byte-range.ts'
import { BackupError, isFailure, redact } from '../domain/failures.ts'
import type { Change } from '../domain/transfer-plan.ts'
import type { AzureClients } from './clients.ts'
import { diffErrors, listErrors } from './page-list-errors.ts'
import { readPages, type PageListQuery } from './page-list-pages.ts'
import { createStorageRest, type StorageAuth, type StorageRest } from './storage-rest.ts'

export interface PageListSource {
  /** With its SAS, with `snapshot=`, or bare. */
  readonly url: string
  readonly auth: StorageAuth
}

/**
 * All of them: a failed call is repeated, a window that takes the server too long is halved. Empty windows are not
 * asked for.
 */
export interface PageLists {
  /** What was ever written and not cleared (Get Page Ranges). */
  allocated(source: PageListSource, window: ByteRange, signal?: AbortSignal): AsyncGenerator<ByteRange>
  /**
   * Between two snapshots of a managed disk, both by their SAS. Pages that were rewritten with the same bytes count as
   * changed.
   * @throws BackupError DiffRefused | ExportAccessLost
   */
  managedDiskDiff(
    source: PageListSource,
    previousSasUrl: string,
    window: ByteRange,
    signal?: AbortSignal,
  ): AsyncGenerator<Change>
  /**
   * Between an ordinary page blob and a snapshot of it, by the snapshot's `x-ms-snapshot`.
   * @throws BackupError DiffRefused
   */
  blobDiff(
    source: PageListSource,
    previousSnapshot: string,
    window: ByteRange,
    signal?: AbortSignal,
  ): AsyncGenerator<Change>
}

export function createPageLists(azure: AzureClients): PageLists {
  const rest = createStorageRest(azure)
  return {
    allocated(source, window, signal) {
      const query: PageListQuery = { ...describe(source, listErrors), query: '', headers: {} }
      return throughBatches(list(rest, query, window, signal), ({ kind, startBytes, endBytes }, emit: (range: ByteRange) => void) => {
        if (kind === 'copy') emit({ startBytes, endBytes })
      })
    },
    managedDiskDiff(source, previousSasUrl, window, signal) {
      const headers = { 'x-ms-previous-snapshot-url': previousSasUrl }
      return list(rest, { ...describe(source, diffErrors), query: '', headers }, window, signal)
    },
    blobDiff(source, previousSnapshot, window, signal) {
      const query = `&prevsnapshot=${encodeURIComponent(previousSnapshot)}`
      return list(rest, { ...describe(source, diffErrors), query, headers: {} }, window, signal)
    },
  }
}

function describe({ url, auth }: PageListSource, errorsOf: typeof listErrors): Pick<PageListQuery, 'url' | 'auth' | 'on' | 'errors'> {
  /** The instant that names a snapshot of a blob in the target; an export has none. */
  const snapshot = new URL(url).searchParams.get('snapshot')
  const on = snapshot === null ? redact(url) : `snapshot ${snapshot} of ${redact(url)}`
  return { url, auth, on, errors: errorsOf(auth, snapshot !== null) }
}

/** Below it, a timeout is not a matter of how much is asked for. */
const SMALLEST_WINDOW_BYTES = 16 * MIB

/**
 * Lists the window part by part. After a timeout it goes on behind the last range that was yielded, with half the
 * window: the REST reference tells to ask for sub-ranges of fragmented blobs.
 */
function list(rest: StorageRest, query: PageListQuery, window: ByteRange, signal: AbortSignal | undefined): BatchStream<Change> {
  return new BatchStream(parts(rest, query, window, signal))
}

async function* parts(
  rest: StorageRest,
  query: PageListQuery,
  window: ByteRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Change[], void, undefined> {
  let startBytes = window.startBytes
  let partBytes = lengthOf(window)
  while (startBytes < window.endBytes) {
    const part = { startBytes, endBytes: Math.min(startBytes + partBytes, window.endBytes) }
    const canHalve = lengthOf(part) > SMALLEST_WINDOW_BYTES
    try {
      for await (const page of readPages(rest, query, part, canHalve, signal)) {
        for (let first = 0; first < page.length; first += MOST_OF_A_BATCH) {
          const changes = inOrder(page.slice(first, first + MOST_OF_A_BATCH), startBytes, part, query.on)
          yield changes
          startBytes = changes.at(-1)?.endBytes ?? startBytes
        }
      }
      startBytes = part.endBytes
    } catch (error) {
      if (!canHalve || !isServerTimeout(error)) throw error
      partBytes = Math.ceil(lengthOf(part) / 2 / PAGE_BYTES) * PAGE_BYTES
    }
  }
}

/** Clips to the window: some servers answer more than they were asked for. */
function inOrder(page: readonly Change[], listedBytes: number, window: ByteRange, on: string): Change[] {
  const changes: Change[] = []
  let endBytes = listedBytes
  for (const change of page) {
    const inside = clip(change, window)
    if (inside === undefined) continue
    if (inside.startBytes < endBytes) {
      throw new BackupError({
        type: 'AzureUnavailable',
        message: `the page list of ${on} goes back from ${endBytes} to ${inside.startBytes}; it is asked for again`,
        facts: { atBytes: inside.startBytes, afterBytes: endBytes },
      })
    }
    changes.push({ kind: change.kind, ...inside })
    endBytes = inside.endBytes
  }
  return changes
}

/** What a timeout looks like where a proxy or the service itself has no better word for it; others were repeated before. */
const SLOW_STATUSES = [408, 500, 504]

export function isServerTimeout(error: unknown): boolean {
  if (!isFailure(error, 'AzureThrottled', 'AzureUnavailable')) return false
  const { code, timeoutMs, status } = error.facts
  return code === 'OperationTimedOut' || timeoutMs !== undefined || SLOW_STATUSES.includes(Number(status))
}
