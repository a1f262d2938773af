import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { accountSas } from './account-sas.ts'
import { startAzureChild } from './azure-child.ts'
import type { AzureReady } from './azure-orders.ts'
import { credentialOf } from './identity.ts'

/**
 * How fast the local Azure is, over TLS, from another process: `npm run build && node dist/bench/local-azure.js`.
 * It must never be the bottleneck that hides the product's own; the goals are printed beside what was measured.
 */

const MIB = 2 ** 20
const VERSION = '2023-11-03'
const COPY_BYTES = 1024 * MIB
const COPY_CONCURRENCY = 8
const SMALL_REQUESTS = 20_000
const SMALL_CONCURRENCY = 32
const LISTED_RANGES = 1_000_000

const caDir = await mkdtemp(join(tmpdir(), 'bench-azure-'))
const azure = await startAzureChild(caDir)
try {
  const agent = new Agent({ connect: { ca: await readFile(join(caDir, 'ca.pem')) }, connections: 64 })
  const client = createClient(azure, agent)
  await benchCopies(client)
  await benchSmallRequests(client)
  await benchPageList(client, azure, agent)
  await agent.close()
} finally {
  await azure.stop()
  await rm(caDir, { recursive: true, force: true })
}

async function benchCopies({ send, sas }: Client): Promise<void> {
  await send('PUT', 'source', pageBlob(64 * MIB))
  await send('PUT', 'target', pageBlob(COPY_BYTES))
  const piece = Buffer.alloc(4 * MIB, 'copied bytes ')
  for (let at = 0; at < 64 * MIB; at += piece.length) {
    await send('PUT', 'source?comp=page', pageRange(at, piece.length), piece)
  }
  const source = sas('source')
  const { seconds, cpuSeconds } = await measured(COPY_BYTES / piece.length, COPY_CONCURRENCY, (index) => {
    const { 'x-ms-range': sourceRange } = pageRange((index * piece.length) % (64 * MIB), piece.length)
    return send('PUT', 'target?comp=page', {
      ...pageRange(index * piece.length, piece.length),
      'x-ms-source-range': sourceRange,
      'x-ms-copy-source': source,
    })
  })
  const rate = (COPY_BYTES / MIB / seconds).toFixed(0)
  const perCpu = (COPY_BYTES / MIB / cpuSeconds).toFixed(0)
  print('Put Page From URL, 4 MiB between two blobs', `${rate} MiB/s, ${perCpu} a CPU second`, 'at least 300')
}

async function benchSmallRequests({ send }: Client): Promise<void> {
  await send('PUT', 'small', pageBlob(1024 * MIB))
  const page = Buffer.alloc(512, 7)
  const kinds = {
    'Put Page of 512 bytes': (index: number) => send('PUT', 'small?comp=page', pageRange(index * 4096, 512), page),
    'Get Blob of 512 bytes': (index: number) => send('GET', 'small', pageRange(index * 4096, 512)),
    // Not by HEAD, for which undici opens a connection of its own.
    'Get Blob Metadata': () => send('GET', 'small?comp=metadata', {}),
  }
  for (const [name, run] of Object.entries(kinds)) {
    await measured(SMALL_REQUESTS / 10, SMALL_CONCURRENCY, run)
    const { seconds, cpuSeconds } = await measured(SMALL_REQUESTS, SMALL_CONCURRENCY, run)
    const perCpu = (SMALL_REQUESTS / cpuSeconds).toFixed(0)
    print(name, `${(SMALL_REQUESTS / seconds).toFixed(0)} requests/s, ${perCpu} a CPU second`, 'at least 3000')
  }
}

async function benchPageList(client: Client, ready: AzureReady, agent: Agent): Promise<void> {
  const { diskId } = await azure.order('fragment', { ranges: LISTED_RANGES })
  const sasUrl = await grantAccess(ready, agent, diskId)
  // Before 2020-10-02 an answer holds all ranges; from then on, 10,000.
  for (const version of ['2019-12-12', VERSION]) {
    await azure.order('usage')
    const began = performance.now()
    let ranges = 0
    let marker = ''
    do {
      const response = await request(`${sasUrl}&comp=pagelist&marker=${marker}`.replace(/&marker=$/, ''), {
        headers: { 'x-ms-version': version },
        dispatcher: agent,
      })
      const body = await response.body.text()
      if (response.statusCode !== 200) throw new Error(body)
      ranges += body.split('<PageRange>').length - 1
      marker = /<NextMarker>([^<]+)</.exec(body)?.[1] ?? ''
    } while (marker !== '')
    const seconds = (performance.now() - began) / 1000
    const { longestPauseMs } = await azure.order('usage')
    const what = `${ranges} page ranges by version ${version}, ${seconds.toFixed(1)} s`
    print(what, `longest pause ${longestPauseMs.toFixed(0)} ms`, 'at most 50')
  }
}

interface Client {
  /** A request that must succeed; the path begins in the container. */
  send(method: 'GET' | 'HEAD' | 'PUT', path: string, headers: Record<string, string>, body?: Buffer): Promise<void>
  /** The URL of a blob with a SAS to read it. */
  sas(blob: string): string
}

function createClient({ blobEndpoint, accountKey }: AzureReady, agent: Agent): Client {
  const container = `${blobEndpoint}/bench/blobs`
  const query = (permissions: string): string => accountSas({ account: 'bench', key: accountKey, permissions })
  const allowed = query('rwdlc')
  return {
    async send(method, path, headers, body) {
      const url = `${container}/${path}${path.includes('?') ? '&' : '?'}${allowed}`
      const response = await request(url, {
        method,
        headers: { 'x-ms-version': VERSION, ...lengthOf(method, body), ...headers },
        body: body ?? null,
        dispatcher: agent,
      })
      const text = await response.body.text()
      if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`)
    },
    sas: (blob) => `${container}/${blob}?${query('r')}`,
  }
}

async function grantAccess(ready: AzureReady, agent: Agent, diskId: string): Promise<string> {
  const granted = await credentialOf(ready).getToken('https://management.azure.com/.default')
  const headers = { authorization: `Bearer ${granted?.token}`, 'content-type': 'application/json' }
  const begun = await request(`${ready.resourceManagerEndpoint}${diskId}/beginGetAccess?api-version=2025-01-02`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ access: 'Read', durationInSeconds: 3600 }),
    dispatcher: agent,
  })
  await begun.body.dump()
  const ended = await request(String(begun.headers['location']), { headers, dispatcher: agent })
  return ((await ended.body.json()) as { accessSAS: string }).accessSAS
}

/** Seconds that so many runs take, so many at a time: on the clock, and of the server's processor. */
async function measured(
  count: number,
  concurrency: number,
  run: (index: number) => Promise<void>,
): Promise<{ seconds: number; cpuSeconds: number }> {
  await azure.order('usage')
  const began = performance.now()
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) {
      next += 1
      await run(next - 1)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  const seconds = (performance.now() - began) / 1000
  return { seconds, cpuSeconds: (await azure.order('usage')).cpuSeconds }
}

function lengthOf(method: string, body: Buffer | undefined): Record<string, string> {
  return method === 'PUT' ? { 'content-length': String(body?.length ?? 0) } : {}
}

function pageBlob(sizeBytes: number): Record<string, string> {
  return { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': String(sizeBytes) }
}

function pageRange(startBytes: number, lengthBytes: number): { 'x-ms-range': string; 'x-ms-page-write': string } {
  return { 'x-ms-page-write': 'update', 'x-ms-range': `bytes=${startBytes}-${startBytes + lengthBytes - 1}` }
}

function print(what: string, measure: string, goal: string): void {
  process.stdout.write(`${what.padEnd(52)} ${measure.padEnd(36)} (goal: ${goal})\n`)
}
