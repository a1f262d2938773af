/**
 * Reads the body of Get Page Ranges: `<PageRange>` and `<ClearRange>` elements, interleaved, with inclusive ends. The
 * inclusive ends stop here.
 *
 * A body that is cut off or breaks the protocol is an error, never a shorter list.
 */
import { XMLParser } from 'fast-xml-parser'
import { PAGE_BYTES } from '../domain/byte-range.ts'
import { BackupError } from '../domain/failures.ts'
import type { Change } from '../domain/transfer-plan.ts'

export interface PageListAnswer {
  /** Sorted by address and disjoint. */
  readonly changes: readonly Change[]
  /** undefined: the list is complete. */
  readonly nextMarker: string | undefined
}

const parser = new XMLParser({ removeNSPrefix: true, ignoreDeclaration: true, parseTagValue: false })

/** `on` names what was listed, for messages. @throws BackupError AzureUnavailable */
export function parsePageList(xml: string, on: string): PageListAnswer {
  const list = field(parse(xml, on), 'PageList')
  // An empty list is `<PageList />`, which the parser turns into an empty text.
  if (list === undefined) throw broken(on, 'it is not a PageList')
  const changes = [...elements(list, 'PageRange', 'copy', on), ...elements(list, 'ClearRange', 'clear', on)].sort(
    (a, b) => a.startBytes - b.startBytes,
  )
  let endBytes = 0
  for (const change of changes) {
    if (change.startBytes < endBytes) throw broken(on, `its ranges overlap at ${change.startBytes}`)
    endBytes = change.endBytes
  }
  const marker = field(list, 'NextMarker')
  return { changes, nextMarker: typeof marker === 'string' && marker !== '' ? marker : undefined }
}

function parse(xml: string, on: string): unknown {
  try {
    // The second argument asks for well-formedness: without it the parser closes open elements by itself.
    return parser.parse(xml, true)
  } catch (cause) {
    throw broken(on, 'it is no well-formed XML', cause)
  }
}

function elements(list: unknown, name: string, kind: Change['kind'], on: string): Change[] {
  const found = field(list, name)
  const items = found === undefined ? [] : Array.isArray(found) ? found : [found]
  return items.map((item: unknown) => {
    const startBytes = offsetOf(item, 'Start')
    const lastBytes = offsetOf(item, 'End')
    const isWholePages = startBytes % PAGE_BYTES === 0 && (lastBytes + 1) % PAGE_BYTES === 0 && startBytes < lastBytes
    if (!isWholePages) throw broken(on, `it holds the ${name} ${startBytes}-${lastBytes}, which is not whole pages`)
    return { kind, startBytes, endBytes: lastBytes + 1 }
  })
}

/** NaN where there is no whole number. */
function offsetOf(item: unknown, name: string): number {
  const text = field(item, name)
  return typeof text === 'string' && /^\d+$/.test(text.trim()) ? Number(text) : NaN
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
}

function broken(on: string, why: string, cause?: unknown): BackupError {
  return new BackupError({
    type: 'AzureUnavailable',
    message: `the page list of ${on} cannot be used: ${why}; it is asked for again`,
    cause,
  })
}
