/** Requests that no client should send, made of parts that each may be right, wrong or nonsense. */

export type Random = (limit: number) => number

export interface FuzzedRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
  /** The length of the body is not told. */
  readonly isChunked: boolean
}

export const pick = <Item>(random: Random, items: readonly Item[]): Item => items[random(items.length)] as Item

export const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS', 'MERGE', 'PURGE']
export const VALUES = [
  '',
  '0',
  '1',
  '-1',
  '512',
  '511.5',
  '1e3',
  '0x10',
  'NaN',
  'Infinity',
  '9007199254740993',
  '99999999999999999999',
  'true',
  'null',
  '*',
  '"0x8D"',
  'bytes=0-511',
  'bytes=512-1023',
  'bytes=1023-512',
  'bytes=-512',
  'bytes=0-',
  'bytes=0-1,4-5',
  'bytes=0-99999999999999999999',
  'bytes=8192-8703',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  '2026-01-01T00:00:00.0000000Z',
  '2026-13-45T99:99:99Z',
  '00000000-0000-4000-8000-000000000000',
  'AAAA',
  '====',
  '%00',
  '%zz',
  '../..',
  'ü€😀',
  'a'.repeat(3000),
  '<x>&amp;</x>',
  'https://localhost:1/a/b/c?sig=d',
  'http://[::bad',
  'update',
  'clear',
  'PageBlob',
  'BlockBlob',
  'AppendBlob',
  'acquire',
  'break',
  'increment',
  'include',
  'only',
]
const BLOB_HEADERS = [
  'range',
  'x-ms-range',
  'x-ms-page-write',
  'x-ms-blob-type',
  'x-ms-blob-content-length',
  'x-ms-blob-sequence-number',
  'x-ms-sequence-number-action',
  'x-ms-if-sequence-number-eq',
  'x-ms-if-sequence-number-le',
  'x-ms-copy-source',
  'x-ms-source-range',
  'x-ms-source-if-match',
  'x-ms-source-content-md5',
  'x-ms-source-content-crc64',
  'x-ms-previous-snapshot-url',
  'x-ms-copy-source-authorization',
  'x-ms-copy-action',
  'x-ms-requires-sync',
  'x-ms-lease-id',
  'x-ms-lease-action',
  'x-ms-lease-duration',
  'x-ms-lease-break-period',
  'x-ms-proposed-lease-id',
  'x-ms-delete-snapshots',
  'x-ms-content-crc64',
  'content-md5',
  'content-type',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'x-ms-range-get-content-md5',
  'x-ms-range-get-content-crc64',
  'x-ms-meta-name',
  'x-ms-meta-',
  'x-ms-meta-1%',
  'x-ms-client-request-id',
  'authorization',
]
const BLOB_QUERY = [
  'comp=page',
  'comp=pagelist',
  'comp=list',
  'comp=lease',
  'comp=snapshot',
  'comp=properties',
  'comp=metadata',
  'comp=block',
  'comp=blocklist',
  'comp=copy',
  'comp=incrementalcopy',
  'comp=userdelegationkey',
  'comp=nonsense',
  'restype=container',
  'restype=service',
  'restype=account',
]
const BLOB_PARAMETERS = [
  'snapshot',
  'prevsnapshot',
  'marker',
  'maxresults',
  'blockid',
  'copyid',
  'blocklisttype',
  'include',
  'delimiter',
  'prefix',
  'timeout',
]
export const NAMES = ['disks', 'base', 'new', 'UPPER', '', '%2e%2e', '%zz', '%00', 'ü', '..', '$root', 'a b', 'a'.repeat(1200)]
const VERSIONS = ['2023-11-03', '2026-04-06', '2019-12-12', '2009-09-19', '2999-01-01', 'latest', '']
const BODIES = [
  '',
  'x',
  '<BlockList><Latest>AAAA</Latest></BlockList>',
  '<BlockList><Latest>AAAA</BlockList>',
  '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><BlockList>&b;</BlockList>',
  '<KeyInfo><Start>x</Start><Expiry>y</Expiry></KeyInfo>',
  '<'.repeat(5000),
  '{"a":',
  '[]',
  'null',
  '{}',
  '{"location":"westeurope","properties":{}}',
  '{"location":7,"properties":{"creationData":{"createOption":"Copy","sourceResourceId":"/x"}}}',
  '{"access":"Read","durationInSeconds":-1}',
  `${'['.repeat(2000)}${']'.repeat(2000)}`,
  '\u0000\u0001',
]

/** Requests that are nearly right reach further than those that are all nonsense. */
const BLOB_OPERATIONS: readonly (readonly [method: string, path: string, query: string])[] = [
  ['PUT', 'disks/base', 'comp=page'],
  ['PUT', 'disks/base', 'comp=properties'],
  ['PUT', 'disks/base', 'comp=metadata'],
  ['PUT', 'disks/base', 'comp=snapshot'],
  ['PUT', 'disks/base', 'comp=lease'],
  ['PUT', 'disks/new', ''],
  ['PUT', 'disks/new', 'comp=block'],
  ['PUT', 'disks/new', 'comp=blocklist'],
  ['PUT', 'disks/new', 'comp=incrementalcopy'],
  ['PUT', 'disks/new', 'comp=copy'],
  ['GET', 'disks/base', ''],
  ['GET', 'disks/base', 'comp=pagelist'],
  ['GET', 'disks/new', 'comp=blocklist'],
  ['GET', 'disks', 'restype=container&comp=list'],
  ['GET', '', 'comp=list'],
  ['POST', '', 'restype=service&comp=userdelegationkey'],
  ['DELETE', 'disks/new', ''],
  // Others may have deleted it, leased it or cut it to nothing.
  ['PUT', 'disks/base', ''],
  ['PUT', 'other', 'restype=container'],
]
/** What the operations above need to be carried out, more often than not. */
const BLOB_TEMPLATES: readonly Readonly<Record<string, string>>[] = [
  { 'x-ms-page-write': 'update', 'x-ms-range': 'bytes=0-511' },
  { 'x-ms-page-write': 'clear', 'x-ms-range': 'bytes=512-1535' },
  { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': '8192' },
  { 'x-ms-blob-type': 'BlockBlob' },
  { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': '15' },
  { 'x-ms-sequence-number-action': 'increment' },
  { 'x-ms-copy-action': 'abort' },
]

/** Of the blob service; the query that signs it may be spoiled too. */
export function fuzzedBlobRequest(random: Random, sas: string, source: string): FuzzedRequest {
  const path = ['backups', ...Array.from({ length: random(4) }, () => pick(random, NAMES))]
  if (random(8) === 0) path[0] = pick(random, ['nobody', 'md-000000000000', '', '%zz', 'BACKUPS'])
  if (random(2) === 0) path.splice(1, path.length, 'disks', 'base')
  const query = [random(20) === 0 ? sas.replace('sig=', 'sig=x') : sas]
  if (random(20) === 0) query.pop()
  const [method, rightPath, rightQuery] = pick(random, BLOB_OPERATIONS)
  const isNearlyRight = random(4) > 0
  if (isNearlyRight) {
    path.splice(0, path.length, 'backups', rightPath)
    query.push(rightQuery)
  }
  for (let count = isNearlyRight ? 0 : random(3); count > 0; count -= 1) query.push(pick(random, BLOB_QUERY))
  for (let count = random(3); count > 0; count -= 1) {
    query.push(`${pick(random, BLOB_PARAMETERS)}=${encodeURIComponent(pick(random, VALUES))}`)
  }
  const headers: Record<string, string> = { 'x-ms-version': random(10) === 0 ? pick(random, VERSIONS) : '2023-11-03' }
  if (random(3) > 0) Object.assign(headers, pick(random, [...BLOB_TEMPLATES, { 'x-ms-copy-source': source }]))
  for (let count = random(4); count > 0; count -= 1) headers[pick(random, BLOB_HEADERS)] = headerValue(random)
  const sent = isNearlyRight ? method : pick(random, METHODS)
  return { method: sent, target: `/${path.join('/')}?${query.join('&')}`, headers, ...bodyOf(random) }
}

/** Nothing, bytes, or text that may be XML or JSON. */
export function bodyOf(random: Random): Pick<FuzzedRequest, 'body' | 'isChunked'> {
  const isChunked = random(10) === 0
  if (random(2) === 0) return { body: undefined, isChunked: false }
  if (random(3) === 0) return { body: Buffer.alloc(512 * (1 + random(3)), random(256)), isChunked }
  return { body: Buffer.from(pick(random, BODIES)), isChunked }
}

/** What a header can carry: no characters beyond Latin-1. */
function headerValue(random: Random): string {
  return pick(random, VALUES).replaceAll(/[^\u0020-\u00ff]/g, '?')
}
