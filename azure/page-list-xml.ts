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

/**
 * A range as every known server writes it. There may be 10,000 in an answer, and a worker reads millions: taken by this
 * they cost a twentieth of what a tree of elements does.
 */
const PLAIN_RANGE = /<(Page|Clear)Range>\s*<Start>(\d+)<\/Start>\s*<End>(\d+)<\/End>\s*<\/\1Range>/g
/** In these, text that looks like a range is none. */
const HIDES_TEXT = /<!--|<!\[CDATA\[/

const parser = new XMLParser({ removeNSPrefix: true, ignoreDeclaration: true, parseTagValue: false, htmlEntities: true })

/** `on` names what was listed, for messages. @throws BackupError AzureUnavailable */
export function parsePageList(xml: string, on: string): PageListAnswer {
  const { plain, rest } = takePlainRanges(xml, on)
  const list = field(parse(rest, on), 'PageList')
  // An empty list is `<PageList />`, which the parser turns into an empty text.
  if (list === undefined) throw broken(on, 'it is not a PageList')
  const changes = [...plain, ...elements(list, 'PageRange', 'copy', on), ...elements(list, 'ClearRange', 'clear', on)].sort(
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

/** What is left of the document holds its frame, and ranges in any other form of XML. */
function takePlainRanges(xml: string, on: string): { plain: Change[]; rest: string } {
  const plain: Change[] = []
  if (HIDES_TEXT.test(xml)) return { plain, rest: xml }
  const rest = xml.replace(PLAIN_RANGE, (_, name: string, start: string, end: string) => {
    plain.push(changeOf(name === 'Page' ? 'copy' : 'clear', Number(start), Number(end), on))
    return ''
  })
  return { plain, rest }
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
  return items.map((item: unknown) => changeOf(kind, offsetOf(item, 'Start'), offsetOf(item, 'End'), on))
}

function changeOf(kind: Change['kind'], startBytes: number, lastBytes: number, on: string): Change {
  const isWholePages = startBytes % PAGE_BYTES === 0 && (lastBytes + 1) % PAGE_BYTES === 0 && startBytes < lastBytes
  if (!isWholePages) {
    throw broken(on, `it holds the ${kind === 'copy' ? 'Page' : 'Clear'}Range ${startBytes}-${lastBytes}, which is not whole pages`)
  }
  return { kind, startBytes, endBytes: lastBytes + 1 }
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
