/**
 * Random calls of every page-blob operation, good and bad ones, on a few small blobs: they overlap, collide, and meet leases,
 * snapshots and conditions of each other. The same seed gives the same calls.
 */
import { createHash } from 'node:crypto'
import { seededRandom } from '../../../domain/sampler.ts'
import type { Call } from './twins.ts'

const BLOBS = ['a.vhd', 'b.vhd', 'c.vhd']
const LEASES = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']
const MAX_PAGES = 16

/** Put Blob without anything that could refuse it; `variant` decides the size. */
export function createCall(blob: string, variant: number): Call {
  const headers = { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': String(512 * (1 + (variant % MAX_PAGES))) }
  return { operation: 'Put Blob', method: 'PUT', blob, headers }
}

/** What there is to know of a blob: its bytes and its ranges. */
export function readCalls(blob: string): readonly Call[] {
  return [
    { operation: 'Get Blob', method: 'GET', blob },
    { operation: 'Get Page Ranges', method: 'GET', blob, query: 'comp=pagelist' },
  ]
}

export function* randomCalls(seed: number): Generator<Call, never> {
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)]!
  const sometimes = (probability: number): boolean => random() < probability
  const labels: { blob: string; label: string }[] = []

  const maybe = (probability: number, headers: () => Record<string, string>): Record<string, string> =>
    sometimes(probability) ? headers() : {}
  const lease = (): Record<string, string> => maybe(0.25, () => ({ 'x-ms-lease-id': pick(LEASES) }))
  const conditions = (): Record<string, string> =>
    maybe(0.15, () => ({ [pick(['if-match', 'if-none-match'])]: pick(['{etag}', '"0x0"', '*']) }))
  const numberConditions = (): Record<string, string> =>
    maybe(0.25, () => ({ [`x-ms-if-sequence-number-${pick(['eq', 'lt', 'le'])}`]: String(below(6)) }))
  const metadata = (): Record<string, string> => ({ 'x-ms-meta-run': String(below(1000)), 'x-ms-meta-other': 'x' })
  const range = (): { text: string; lengthBytes: number } => {
    const offsetBytes = 512 * below(MAX_PAGES) + (sometimes(0.05) ? 100 : 0)
    const lengthBytes = 512 * (1 + below(4))
    return { text: `bytes=${offsetBytes}-${offsetBytes + lengthBytes - 1}`, lengthBytes }
  }
  const readRange = (): string => {
    const start = below(512 * MAX_PAGES)
    return sometimes(0.2) ? `bytes=${start}-` : `bytes=${start}-${start + below(2048)}`
  }
  /** `snapshot=…` of one that was made of this blob, at times of one that never was. */
  const snapshotOf = (blob: string): string => {
    const own = labels.filter((each) => each.blob === blob)
    return sometimes(0.05) || own.length === 0 ? 'snapshot={snapshot:none}' : `snapshot={snapshot:${pick(own).label}}`
  }
  const baseOrSnapshot = (blob: string): string[] => (sometimes(0.4) ? [snapshotOf(blob)] : [])
  const query = (...parts: string[]): { query?: string } => (parts.length === 0 ? {} : { query: parts.join('&') })

  const makers: readonly [weight: number, make: (blob: string) => Call][] = [
    [5, (blob) => ({
      operation: 'Put Blob', method: 'PUT', blob,
      headers: {
        'x-ms-blob-type': 'PageBlob',
        'x-ms-blob-content-length': String(sometimes(0.05) ? 1000 : 512 * below(MAX_PAGES)),
        ...maybe(0.3, () => ({ 'x-ms-blob-sequence-number': String(below(4)) })),
        ...maybe(0.3, metadata), ...lease(), ...conditions(),
      },
    })],
    [25, (blob) => {
      const { text, lengthBytes } = range()
      const body = Buffer.alloc(lengthBytes, 1 + below(255))
      const md5 = createHash('md5').update(sometimes(0.2) ? 'other' : body).digest('base64')
      return {
        operation: 'Put Page', method: 'PUT', blob, query: 'comp=page', body,
        headers: { 'x-ms-page-write': 'update', 'x-ms-range': text, ...maybe(0.2, () => ({ 'content-md5': md5 })), ...lease(), ...conditions(), ...numberConditions() },
      }
    }],
    [10, (blob) => ({
      operation: 'Clear Pages', method: 'PUT', blob, query: 'comp=page',
      headers: { 'x-ms-page-write': 'clear', 'x-ms-range': range().text, ...lease(), ...conditions(), ...numberConditions() },
    })],
    [10, (blob) => ({
      operation: 'Get Blob', method: 'GET', blob, ...query(...baseOrSnapshot(blob)),
      headers: { ...maybe(0.6, () => ({ 'x-ms-range': readRange() })), ...lease(), ...conditions() },
    })],
    [8, (blob) => ({ operation: 'Get Blob Properties', method: 'HEAD', blob, ...query(...baseOrSnapshot(blob)), headers: { ...lease(), ...conditions() } })],
    [12, (blob) => ({
      operation: 'Get Page Ranges', method: 'GET', blob, ...query('comp=pagelist', ...baseOrSnapshot(blob)),
      headers: { ...maybe(0.4, () => ({ 'x-ms-range': range().text })), ...lease() },
    })],
    [2, (blob) => ({ operation: 'Get Page Ranges (difference)', method: 'GET', blob, ...query('comp=pagelist', snapshotOf(blob).replace(/^/, 'prev')) })],
    [4, (blob) => ({
      operation: 'Set Blob Properties (size)', method: 'PUT', blob, query: 'comp=properties',
      headers: { 'x-ms-blob-content-length': String(sometimes(0.1) ? 700 : 512 * below(MAX_PAGES)), ...lease(), ...conditions() },
    })],
    [6, (blob) => ({
      operation: 'Set Blob Properties (sequence number)', method: 'PUT', blob, query: 'comp=properties',
      headers: { 'x-ms-sequence-number-action': pick(['max', 'update', 'increment']), ...maybe(0.6, () => ({ 'x-ms-blob-sequence-number': String(below(6)) })), ...lease() },
    })],
    [3, (blob) => ({
      operation: 'Set Blob Properties (content)', method: 'PUT', blob, query: 'comp=properties',
      headers: { 'x-ms-blob-content-type': pick(['text/plain', 'image/png']), ...lease(), ...conditions() },
    })],
    [4, (blob) => ({ operation: 'Set Blob Metadata', method: 'PUT', blob, query: 'comp=metadata', headers: { ...maybe(0.8, metadata), ...lease(), ...conditions() } })],
    [3, (blob) => ({ operation: 'Get Blob Metadata', method: 'GET', blob, ...query('comp=metadata', ...baseOrSnapshot(blob)) })],
    [8, (blob) => {
      const label = `${blob}#${labels.length}`
      labels.push({ blob, label })
      return { operation: 'Snapshot Blob', method: 'PUT', blob, query: 'comp=snapshot', makesSnapshot: label, headers: { ...maybe(0.4, metadata), ...lease(), ...conditions() } }
    }],
    [3, (blob) => ({ operation: 'Delete Blob (snapshot)', method: 'DELETE', blob, query: snapshotOf(blob) })],
    [3, (blob) => ({
      operation: 'Delete Blob', method: 'DELETE', blob,
      headers: { ...maybe(0.6, () => ({ 'x-ms-delete-snapshots': pick(['include', 'only']) })), ...lease(), ...conditions() },
    })],
    [12, (blob) => {
      const action = pick(['acquire', 'acquire', 'renew', 'change', 'release', 'release', 'break'])
      const headers: Record<string, () => Record<string, string>> = {
        acquire: () => ({ 'x-ms-lease-duration': pick(['60', '-1', '-1', '5']), 'x-ms-proposed-lease-id': pick(LEASES) }),
        renew: () => ({ 'x-ms-lease-id': pick(LEASES) }),
        change: () => ({ 'x-ms-lease-id': pick(LEASES), 'x-ms-proposed-lease-id': pick(LEASES) }),
        release: () => ({ 'x-ms-lease-id': pick(LEASES) }),
        break: () => ({ 'x-ms-lease-break-period': '0' }),
      }
      return { operation: `Lease Blob (${action})`, method: 'PUT', blob, query: 'comp=lease', headers: { 'x-ms-lease-action': action, ...headers[action]!() } }
    }],
    [3, (blob) => {
      const from = pick(BLOBS)
      const source = sometimes(0.5) ? `{url:${from}}` : `{url:${from}?${snapshotOf(from)}}`
      return { operation: 'Copy Blob', method: 'PUT', blob, headers: { 'x-ms-copy-source': source, ...lease() } }
    }],
    [1, (blob) => ({
      operation: 'Abort Copy Blob', method: 'PUT', blob, query: `comp=copy&copyid=${pick(LEASES)}`,
      headers: { 'x-ms-copy-action': 'abort', ...lease() },
    })],
    [1, (blob) => ({
      operation: 'Put Page From URL', method: 'PUT', blob, query: 'comp=page',
      headers: { 'x-ms-page-write': 'update', 'x-ms-range': 'bytes=0-511', 'x-ms-copy-source': `{url:${pick(BLOBS)}}`, 'x-ms-source-range': 'bytes=0-511' },
    })],
  ]
  const totalWeight = makers.reduce((sum, [weight]) => sum + weight, 0)

  for (;;) {
    let dice = random() * totalWeight
    const [, make] = makers.find(([weight]) => (dice -= weight) < 0) ?? makers[0]!
    yield make(pick(BLOBS))
  }
}
