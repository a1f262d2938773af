import type { OperationContext } from '../operation.ts'
import { StorageError } from '../storage-error.ts'
import { xmlElement, xmlText } from '../xml.ts'

/** What the two list operations share: their query, their pages, their metadata. Markers are opaque to clients. */

export interface ListQuery {
  readonly prefix: string
  readonly marker: string
  readonly include: ReadonlySet<string>
  /** As asked for; undefined when it was not. */
  readonly maxResults: number | undefined
  readonly limit: number
}

export function readListQuery(context: OperationContext): ListQuery {
  const { request, service } = context
  const maxResults = request.countParameter('maxresults')
  return {
    prefix: request.query.get('prefix') ?? '',
    marker: request.query.get('marker') ?? '',
    include: new Set(
      (request.query.get('include') ?? '')
        .toLowerCase()
        .split(',')
        .filter((each) => each !== ''),
    ),
    maxResults,
    limit: Math.min(maxResults ?? Infinity, service.limits.maxListItems),
  }
}

/** The items of one page: those from the marker on, up to the limit. Items come in ascending order of their keys. */
export function listPage<Item extends { readonly key: string }>(
  all: Iterable<Item>,
  query: ListQuery,
): { items: Item[]; nextMarker: string | undefined } {
  const firstKey = decodeMarker(query.marker)
  const items: Item[] = []
  for (const item of all) {
    if (item.key < firstKey) continue
    if (items.length === query.limit) return { items, nextMarker: Buffer.from(`key:${item.key}`).toString('base64url') }
    items.push(item)
  }
  return { items, nextMarker: undefined }
}

export function metadataXml(metadata: ReadonlyMap<string, string>): string {
  return xmlElement('Metadata', [...metadata].map(([name, value]) => xmlText(name, value)).join(''))
}

function decodeMarker(marker: string): string {
  if (marker === '') return ''
  const text = Buffer.from(marker, 'base64url').toString()
  if (!text.startsWith('key:')) throw new StorageError('InvalidQueryParameterValue', { reason: 'marker' })
  return text.slice('key:'.length)
}
