/** Follows one page list over all its pages, as it comes: order and window are checked by `page-lists.ts`. */
import type { ByteRange } from '../domain/byte-range.ts'
import { BackupError, type BackupErrorInit } from '../domain/failures.ts'
import type { Change } from '../domain/transfer-plan.ts'
import { callStorage, PATIENT, type RetryRule } from './call.ts'
import { parsePageList, type PageListAnswer } from './page-list-xml.ts'
import type { StorageAuth, StorageRest } from './storage-rest.ts'
import type { ErrorContext } from './translate.ts'

export interface PageListQuery {
  readonly url: string
  readonly auth: StorageAuth
  /** The URL without its query, for messages. */
  readonly on: string
  /** Appended to the URL, with a leading `&`. */
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly errors: Pick<ErrorContext, 'when' | 'notFound' | 'action'>
}

/** Azure gives up to 10,000 in one answer. Half of that costs as little for each range, and half the memory. */
const MAX_RESULTS = 5_000
/** A short first answer comes soon, so that work begins while longer ones are on their way. */
const FIRST_RESULTS = 1_000
const RESULTS_GROWTH = 3

/** A timeout that a smaller window can cure is not repeated. */
const UNLESS_TIMEOUT: RetryRule = {
  attempts: PATIENT.attempts,
  covers: (error) =>
    PATIENT.covers(error) && error.facts['code'] !== 'OperationTimedOut' && error.facts['timeoutMs'] === undefined,
}

/** One page is asked for ahead: while the caller works on the ranges of one, the next is on its way. */
export async function* readPages(
  rest: StorageRest,
  query: PageListQuery,
  window: ByteRange,
  canHalve: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Change[], void, undefined> {
  const seen = new Set<string>()
  const ahead = new AbortController()
  const abandon = (): void => ahead.abort(signal?.reason)
  signal?.addEventListener('abort', abandon, { once: true })
  let results = FIRST_RESULTS
  const ask = (marker?: string): Promise<PageListAnswer> => {
    const answer = readPage(rest, query, window, parametersOf(query, results, marker), canHalve, ahead.signal)
    results = Math.min(results * RESULTS_GROWTH, MAX_RESULTS)
    // One that fails before its turn, or after the caller has left, must not end the process.
    answer.catch(() => undefined)
    return answer
  }
  try {
    signal?.throwIfAborted()
    let next: Promise<PageListAnswer> | undefined = ask()
    while (next !== undefined) {
      const answer: PageListAnswer = await next
      const { changes, nextMarker } = answer
      if (nextMarker !== undefined && seen.has(nextMarker)) throw new BackupError(circling(query.on))
      if (nextMarker !== undefined) seen.add(nextMarker)
      // A server without x-ms-range support goes on to the end of the blob.
      const isBehind: boolean = (changes.at(-1)?.endBytes ?? 0) >= window.endBytes
      next = nextMarker === undefined || isBehind ? undefined : ask(nextMarker)
      yield changes
    }
  } finally {
    signal?.removeEventListener('abort', abandon)
    ahead.abort()
  }
}

async function readPage(
  rest: StorageRest,
  query: PageListQuery,
  window: ByteRange,
  parameters: string,
  canHalve: boolean,
  signal: AbortSignal,
): Promise<PageListAnswer> {
  const url = `${query.url}${query.url.includes('?') ? '&' : '?'}${parameters}`
  const headers = { ...query.headers, 'x-ms-range': `bytes=${window.startBytes}-${window.endBytes - 1}` }
  const call = {
    ...query.errors,
    doing: 'list the pages of',
    on: query.on,
    facts: { startBytes: window.startBytes, endBytes: window.endBytes },
    retry: canHalve ? UNLESS_TIMEOUT : PATIENT,
    signal,
  }
  return callStorage(call, async (attempt) => {
    const response = await rest.get(url, query.auth, headers, attempt)
    return parsePageList(response.bodyAsText ?? '', query.on)
  })
}

function parametersOf({ query }: PageListQuery, maxResults: number, marker: string | undefined): string {
  const continued = marker === undefined ? '' : `&marker=${encodeURIComponent(marker)}`
  return `comp=pagelist${query}&maxresults=${maxResults}${continued}`
}

function circling(on: string): BackupErrorInit {
  return {
    type: 'AzureUnavailable',
    message: `the page list of ${on} names a continuation that was read already; it is asked for again`,
  }
}
