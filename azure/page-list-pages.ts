/** Follows one page list over all its pages, as it comes: order and window are checked by `page-lists.ts`. */
import type { ByteRange } from '../domain/byte-range.ts'
import { BackupError, type BackupErrorInit } from '../domain/failures.ts'
import type { Change } from '../domain/transfer-plan.ts'
import { callStorage, PATIENT, type RetryRule } from './call.ts'
import { parsePageList } from './page-list-xml.ts'
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

/** The most that Azure gives in one answer; more is cut down to it. */
const MAX_RESULTS = 10_000

/** A timeout that a smaller window can cure is not repeated. */
const UNLESS_TIMEOUT: RetryRule = {
  attempts: PATIENT.attempts,
  covers: (error) =>
    PATIENT.covers(error) && error.facts['code'] !== 'OperationTimedOut' && error.facts['timeoutMs'] === undefined,
}

export async function* readPages(
  rest: StorageRest,
  query: PageListQuery,
  window: ByteRange,
  canHalve: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<Change> {
  const seen = new Set<string>()
  let marker: string | undefined
  do {
    const url = `${query.url}${query.url.includes('?') ? '&' : '?'}${parametersOf(query, marker)}`
    const headers = { ...query.headers, 'x-ms-range': `bytes=${window.startBytes}-${window.endBytes - 1}` }
    const call = {
      ...query.errors,
      doing: 'list the pages of',
      on: query.on,
      facts: { startBytes: window.startBytes, endBytes: window.endBytes },
      retry: canHalve ? UNLESS_TIMEOUT : PATIENT,
      signal,
    }
    const answer = await callStorage(call, async (attempt) => {
      const response = await rest.get(url, query.auth, headers, attempt)
      return parsePageList(response.bodyAsText ?? '', query.on)
    })
    yield* answer.changes
    marker = answer.nextMarker
    // A server without x-ms-range support goes on to the end of the blob.
    if ((answer.changes.at(-1)?.endBytes ?? 0) >= window.endBytes) return
    if (marker !== undefined && seen.has(marker)) throw new BackupError(circling(query.on))
    if (marker !== undefined) seen.add(marker)
  } while (marker !== undefined)
}

function parametersOf({ query }: PageListQuery, marker: string | undefined): string {
  const continued = marker === undefined ? '' : `&marker=${encodeURIComponent(marker)}`
  return `comp=pagelist${query}&maxresults=${MAX_RESULTS}${continued}`
}

function circling(on: string): BackupErrorInit {
  return {
    type: 'AzureUnavailable',
    message: `the page list of ${on} names a continuation that was read already; it is asked for again`,
  }
}
