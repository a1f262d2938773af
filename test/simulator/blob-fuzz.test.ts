import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ContainerClient, PageBlobClient, AnonymousCredential, StorageSharedKeyCredential } from '@azure/storage-blob'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { Agent, request } from 'undici'
import type { LocalAzure } from '../../simulator/azure.ts'
import { accountSas } from './blob-fixture.ts'
import { computeClient, credentialOf, MIB, startForTests } from './local-azure-support.ts'
import { fuzzedBlobRequest, pick, type FuzzedRequest } from './support/fuzz.ts'
import { fuzzedArmRequest } from './support/fuzz-arm.ts'
import { NONSENSE, sendNonsense } from './support/nonsense.ts'
import { createRandom } from './support/random.ts'

/** FUZZ_REQUESTS=10000 for more; SEED=… to repeat a failure. */

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const COUNT = Number(process.env['FUZZ_REQUESTS'] ?? 1000)
const CONCURRENCY = 8
const GROUP = 'fuzz-rg'
const KEY = Buffer.alloc(64, 7).toString('base64')

let azure: LocalAzure
let agent: Agent
let ca = ''
beforeAll(async () => {
  azure = await startForTests()
  ca = readFileSync(azure.caFile, 'utf8')
  agent = new Agent({ connect: { ca } })
  azure.createAccount({ name: 'backups', key: KEY })
  azure.createContainer('backups', 'disks')
  azure.createResourceGroup({ name: GROUP })
})
afterAll(async () => {
  await agent.close()
  await azure.close()
})

interface Answer {
  readonly status: number
  readonly code: string | undefined
  readonly body: string
}

/** Undefined for what the client itself refuses to send. */
async function send(origin: string, fuzzed: FuzzedRequest): Promise<Answer | undefined> {
  const { method, target, headers, body, isChunked } = fuzzed
  try {
    const response = await request(`${origin}${target}`, {
      method: method as 'GET',
      headers,
      body: body === undefined ? null : isChunked ? Readable.from([body]) : body,
      dispatcher: agent,
    })
    const code = response.headers['x-ms-error-code']
    return { status: response.statusCode, code: code?.toString(), body: await response.body.text() }
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('UND_ERR_INVALID_ARG')) return undefined
    throw new Error(`${method} ${target} ${JSON.stringify(headers)}`, { cause: error })
  }
}

/** Disk, snapshot, list, copy, blob snapshot: the way of every backup. */
async function expectBackupWorks(name: string): Promise<void> {
  const client = computeClient(azure)
  const { id } = azure.createDisk({ name, resourceGroup: GROUP, sizeGib: 1 })
  await azure.writeDisk(id, 8 * MIB, Buffer.alloc(8192, 5))
  await client.snapshots.createOrUpdate(GROUP, `${name}-snapshot`, {
    location: 'westeurope',
    incremental: true,
    creationData: { createOption: 'Copy', sourceResourceId: id },
  })
  const { accessSAS = '' } = await client.snapshots.grantAccess(GROUP, `${name}-snapshot`, {
    access: 'Read',
    durationInSeconds: 600,
  })
  const source = new PageBlobClient(accessSAS, new AnonymousCredential())
  const container = new ContainerClient(`${azure.blobEndpoint}/backups/disks`, credentialOf(azure))
  const base = container.getPageBlobClient(name)
  await base.create(1024 * MIB + 512)
  for await (const { start, end } of source.listPageRanges()) {
    await base.uploadPagesFromURL(accessSAS, start, start, end - start + 1)
  }
  await base.createSnapshot()
  expect((await base.downloadToBuffer(8 * MIB, 8192)).equals(Buffer.alloc(8192, 5))).toBe(true)
  await client.snapshots.revokeAccess(GROUP, `${name}-snapshot`)
}

test(`${COUNT} malformed requests are refused or served, and a backup works after them (SEED=${seed})`, async () => {
  const random = createRandom(seed)
  const sas = accountSas(new StorageSharedKeyCredential('backups', KEY)).slice(1)
  const identity = await credentialOf(azure).getToken(`${azure.resourceManagerAudience}/.default`)
  const token = identity?.token ?? ''
  const base = new ContainerClient(`${azure.blobEndpoint}/backups/disks`, credentialOf(azure)).getPageBlobClient('base')
  await base.create(8192)
  // Long enough that later requests meet a copy that is pending.
  azure.changeBlobLimits({ copyBlobMs: 100 })
  const source = `${azure.blobEndpoint}/backups/disks/base?${sas}`
  const blobPort = Number(new URL(azure.blobEndpoint).port)
  const armPort = Number(new URL(azure.resourceManagerEndpoint).port)
  const wrong: unknown[] = []
  let sent = 0
  const fuzz = async (): Promise<void> => {
    while (sent < COUNT) {
      sent += 1
      const kind = random(20)
      if (kind === 0) {
        await sendNonsense(random(2) === 0 ? blobPort : armPort, pick(random, NONSENSE), ca)
        continue
      }
      const isBlob = kind < 14
      const fuzzed = isBlob ? fuzzedBlobRequest(random, sas, source) : fuzzedArmRequest(random, azure.subscriptionId, token)
      const answer = await send(isBlob ? azure.blobEndpoint : azure.resourceManagerEndpoint, fuzzed)
      if (answer === undefined || isProper(answer, isBlob)) continue
      wrong.push({ ...fuzzed, body: fuzzed.body?.toString(), answer })
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, fuzz))
  expect(wrong).toEqual([])
  await expectBackupWorks('afterwards')
}, 600_000)

/** Not a fault of the server's own, and in the words of its service. */
function isProper({ status, code, body }: Answer, isBlob: boolean): boolean {
  if (status === 500) return false
  if (status < 400) return true
  // A request that Node's parser refuses never reaches the service.
  if (status === 400 && body === '' && code === undefined) return true
  if (isBlob) return code !== undefined
  return body === '' || typeof (JSON.parse(body) as { error?: unknown }).error === 'object'
}
