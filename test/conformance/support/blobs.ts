/** The blobs of one test file: a container of its own, made when it opens and deleted when it closes. */
import type { TokenCredential } from '@azure/identity'
import { callBlob, withQuery, type Answer, type BlobCall, type Method } from './rest.ts'

export interface Blobs {
  readonly containerUrl: string
  /** A name that no other blob has. */
  freshName(): string
  /** `name?query` below the container. */
  call(method: Method, path: string, headers?: Readonly<Record<string, string>>, body?: Buffer | string): Promise<Answer>
  /** Any URL, with a token or with what the URL carries alone. */
  callUrl(method: Method, url: string, call?: BlobCall): Promise<Answer>
  /** A new page blob: its name. */
  createPageBlob(sizeBytes: number, headers?: Readonly<Record<string, string>>): Promise<string>
  putPages(name: string, offsetBytes: number, data: Buffer, headers?: Readonly<Record<string, string>>): Promise<Answer>
  clearPages(name: string, offsetBytes: number, lengthBytes: number, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** The value of `x-ms-snapshot`. */
  snapshot(name: string): Promise<string>
  /** `P start-end` and `C start-end`, as they came; the query without `comp`. */
  pageList(name: string, query?: string, headers?: Readonly<Record<string, string>>): Promise<string[]>
  close(): Promise<void>
}

export async function openBlobs(credential: TokenCredential, accountUrl: string, runId: string): Promise<Blobs> {
  const containerUrl = `${accountUrl}/${runId}`
  let count = 0
  const callUrl: Blobs['callUrl'] = (method, url, call) => callBlob(credential, method, url, call)
  const call: Blobs['call'] = (method, path, headers = {}, body) =>
    callUrl(method, `${containerUrl}/${path}`, { headers, ...(body === undefined ? {} : { body }) })
  require201(await callUrl('PUT', `${containerUrl}?restype=container`, { headers: { 'x-ms-meta-snapferryconformance': runId } }))

  const blobs: Blobs = {
    containerUrl,
    freshName: () => `blob-${++count}.vhd`,
    call,
    callUrl,
    async createPageBlob(sizeBytes, headers = {}) {
      const name = blobs.freshName()
      require201(await call('PUT', name, { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': String(sizeBytes), ...headers }))
      return name
    },
    putPages: (name, offsetBytes, data, headers = {}) =>
      call('PUT', `${name}?comp=page`, { 'x-ms-page-write': 'update', range: closedRange(offsetBytes, data.length), ...headers }, data),
    clearPages: (name, offsetBytes, lengthBytes, headers = {}) =>
      call('PUT', `${name}?comp=page`, { 'x-ms-page-write': 'clear', range: closedRange(offsetBytes, lengthBytes), ...headers }),
    async snapshot(name) {
      return require201(await call('PUT', `${name}?comp=snapshot`)).headers['x-ms-snapshot'] ?? ''
    },
    async pageList(name, query = '', headers = {}) {
      const answer = await call('GET', withQuery(`${name}?comp=pagelist`, query), headers)
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.code}`)
      return parsePageList(answer).ranges
    },
    async close() {
      await callUrl('DELETE', `${containerUrl}?restype=container`)
    },
  }
  return blobs
}

/** `bytes=start-end`, the end inclusive. */
export function closedRange(offsetBytes: number, lengthBytes: number): string {
  return `bytes=${offsetBytes}-${offsetBytes + lengthBytes - 1}`
}

/**
 * `P start-end` for a page range, `C start-end` for a clear range, in their order. Whether ranges that touch are told as one is
 * not documented: they are made one here.
 */
export function parsePageList({ body }: Answer): { ranges: string[]; nextMarker: string } {
  const text = body.toString('utf8')
  const items = text.matchAll(/<(Page|Clear)Range>\s*<Start>(\d+)<\/Start>\s*<End>(\d+)<\/End>\s*<\/\1Range>/g)
  const ranges: { kind: string; start: string; end: string }[] = []
  for (const [, kind = '', start = '', end = ''] of items) {
    const last = ranges.at(-1)
    if (last !== undefined && last.kind === kind && Number(last.end) + 1 === Number(start)) last.end = end
    else ranges.push({ kind, start, end })
  }
  return {
    ranges: ranges.map(({ kind, start, end }) => `${kind[0]} ${start}-${end}`),
    nextMarker: /<NextMarker>(.*)<\/NextMarker>/.exec(text)?.[1] ?? '',
  }
}

/** Whole pages of one byte. */
export function pages(fill: number, count = 1): Buffer {
  return Buffer.alloc(512 * count, fill)
}

function require201(answer: Answer): Answer {
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.code} ${answer.body.toString('utf8')}`)
  return answer
}
