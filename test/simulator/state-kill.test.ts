import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { StorageSharedKeyCredential } from '@azure/storage-blob'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalAzureEndpoints } from '../../simulator/azure.ts'
import { certificateAuthorityDirectory } from '../support/environment.ts'
import { accountSas, VERSION } from './blob-fixture.ts'
import { createRandom } from './support/random.ts'

/** The local Azure as a program that is killed while clients write, and started again on what it left. */

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const KILLS = 3
const CLIENTS = 6
const PAGES_PER_CLIENT = 64
const KEY = Buffer.alloc(64, 7).toString('base64')
const SAS = accountSas(new StorageSharedKeyCredential('backups', KEY))

let directory = ''
let child: ChildProcess | undefined
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'killed-azure-'))
})
afterEach(async () => {
  await kill()
  rmSync(directory, { recursive: true })
})

async function start(): Promise<LocalAzureEndpoints> {
  const readyFile = join(directory, 'ready.json')
  rmSync(readyFile, { force: true })
  const caDir = certificateAuthorityDirectory()
  const options = ['--state', join(directory, 'state'), '--ca-dir', caDir, '--ready-file', readyFile]
  child = spawn(process.execPath, ['bin/snapferry.mjs', 'azure', ...options], { stdio: 'ignore' })
  while (!existsSync(readyFile)) {
    if (child.exitCode !== null) throw new Error(`the local Azure ended with ${child.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return JSON.parse(readFileSync(readyFile, 'utf8')) as LocalAzureEndpoints
}

async function kill(): Promise<void> {
  const killed = child
  child = undefined
  if (killed === undefined || killed.exitCode !== null) return
  const ended = once(killed, 'exit')
  killed.kill('SIGKILL')
  await ended
}

async function call(azure: LocalAzureEndpoints, method: string, path: string, headers = {}, body?: Buffer) {
  const url = `${azure.blobEndpoint}/backups/${path}${path.includes('?') ? '&' : '?'}${SAS.slice(1)}`
  const response = await fetch(url, {
    method,
    headers: { 'x-ms-version': VERSION, ...headers },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  })
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) }
}

interface Written {
  /** By page, what was acknowledged last. */
  readonly acknowledged: Map<number, number>
  /** What was on its way when the process was killed: it may be there or not. */
  inFlight: { page: number; fill: number } | undefined
  calls: number
  readonly snapshots: { name: string; pages: Map<number, number> }[]
}

/** One client with pages of its own, until the connection breaks. */
async function writeUntilKilled(
  azure: LocalAzureEndpoints,
  client: number,
  written: Written,
  random: (limit: number) => number,
): Promise<void> {
  const blob = `disks/blob${client}`
  try {
    for (;;) {
      if (random(20) === 0) {
        const { headers } = await call(azure, 'PUT', `${blob}?comp=snapshot`)
        const name = headers.get('x-ms-snapshot') ?? ''
        written.snapshots.push({ name, pages: new Map(written.acknowledged) })
        written.calls += 1
        continue
      }
      const page = random(PAGES_PER_CLIENT)
      const isClear = random(5) === 0
      const fill = isClear ? 0 : 1 + random(255)
      written.inFlight = { page, fill }
      const range = { 'x-ms-range': `bytes=${page * 512}-${page * 512 + 511}` }
      const { status } = await call(
        azure,
        'PUT',
        `${blob}?comp=page`,
        { ...range, 'x-ms-page-write': isClear ? 'clear' : 'update' },
        isClear ? undefined : Buffer.alloc(512, fill),
      )
      if (status !== 201) throw new Error(`status ${status}`)
      written.acknowledged.set(page, fill)
      written.inFlight = undefined
      written.calls += 1
    }
  } catch (error) {
    if (!(error as Error).message.includes('fetch failed')) throw error
  }
}

async function expectKept(azure: LocalAzureEndpoints, client: number, written: Written): Promise<void> {
  const { body } = await call(azure, 'GET', `disks/blob${client}`)
  for (let page = 0; page < PAGES_PER_CLIENT; page += 1) {
    const allowed = [written.acknowledged.get(page) ?? 0]
    if (written.inFlight?.page === page) allowed.push(written.inFlight.fill)
    const found = body[page * 512] ?? -1
    expect(allowed).toContain(found)
    expect(body.subarray(page * 512, page * 512 + 512).equals(Buffer.alloc(512, found))).toBe(true)
    written.acknowledged.set(page, found)
  }
  written.inFlight = undefined
  for (const { name, pages } of written.snapshots) {
    const snapshot = await call(azure, 'GET', `disks/blob${client}?snapshot=${encodeURIComponent(name)}`)
    expect(snapshot.status).toBe(200)
    for (let page = 0; page < PAGES_PER_CLIENT; page += 1) expect(snapshot.body[page * 512]).toBe(pages.get(page) ?? 0)
  }
}

test(`what was acknowledged before SIGKILL is there after it, ${KILLS} times over (SEED=${seed})`, async () => {
  const random = createRandom(seed)
  let azure = await start()
  const account = JSON.stringify({ name: 'backups', key: KEY })
  await fetch(`${azure.controlEndpoint}/accounts`, { method: 'PUT', body: account })
  await call(azure, 'PUT', 'disks?restype=container')
  const clients: Written[] = Array.from({ length: CLIENTS }, () => ({
    acknowledged: new Map(),
    inFlight: undefined,
    snapshots: [],
    calls: 0,
  }))
  for (const client of clients.keys()) {
    const create = { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': String(PAGES_PER_CLIENT * 512) }
    expect((await call(azure, 'PUT', `disks/blob${client}`, create)).status).toBe(201)
  }
  for (let round = 0; round < KILLS; round += 1) {
    const present = azure
    const writing = clients.map((written, client) => writeUntilKilled(present, client, written, random))
    const enough = clients.reduce((sum, { calls }) => sum + calls, 0) + 50 + random(200)
    while (clients.reduce((sum, { calls }) => sum + calls, 0) < enough) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await kill()
    await Promise.all(writing)
    azure = await start()
    for (const [client, written] of clients.entries()) await expectKept(azure, client, written)
  }
}, 120_000)
