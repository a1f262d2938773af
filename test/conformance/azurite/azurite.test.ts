/**
 * Random sequences of page-blob calls, sent to the local Azure and to Azurite: every answer is equal, or the difference is a
 * known one. Runs where `npm run conformance` has installed Azurite.
 */
import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { env } from 'node:process'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startLocalAzure, type LocalAzure } from '../../../simulator/azure.ts'
import { certificateAuthorityDirectory } from '../../support/environment.ts'
import { send, STORAGE_VERSION } from '../support/rest.ts'
import { startAzurite, type AzuriteServer } from './azurite-server.ts'
import { KNOWN_DIFFERENCES, knownDifference } from './differences.ts'
import { createCall, randomCalls, readCalls } from './random-calls.ts'
import { signed } from './shared-key.ts'
import { createTwins, type Call, type Outcome, type Service, type Twins } from './twins.ts'

const PROGRAM = env['SNAPFERRY_TEST_AZURITE'] ?? ''
const CALLS = Number(env['SNAPFERRY_CONFORMANCE_CALLS'] ?? 2000)
/** Fixed, so that a change is judged by the calls of the run before; `npm run conformance` takes another one each time. */
const SEED = Number(env['SNAPFERRY_CONFORMANCE_SEED'] ?? 1)
const ACCOUNT = { name: 'conformance', key: randomBytes(64).toString('base64') }
const TIMEOUT_MS = 5 * 60_000

let azure: LocalAzure
let azurite: AzuriteServer
let twins: Twins

if (PROGRAM === '') {
  test.skip('Azurite answers as the local Azure does: not run, SNAPFERRY_TEST_AZURITE is not set; see docs/conformance.md', () => {})
} else {
  beforeAll(async () => {
    azure = await startLocalAzure({ caDir: certificateAuthorityDirectory() })
    azure.createAccount(ACCOUNT)
    azurite = await startAzurite(PROGRAM, ACCOUNT)
    twins = createTwins(await openContainer(azure.blobEndpoint), await openContainer(azurite.baseUrl))
  }, TIMEOUT_MS)
  afterAll(async () => {
    await azurite?.close()
    await azure?.close()
  })

  test(`Azurite answers ${CALLS} random calls as the local Azure does, known differences aside (seed ${SEED})`, async () => {
    const record = createRecord()
    const calls = randomCalls(SEED)
    while (record.count < CALLS) {
      const call = calls.next().value
      const [ours, theirs] = await compare(record, call)
      // Left to chance alone, most calls would meet no blob.
      if (ours.code === 'BlobNotFound' && !isOfSnapshot(call)) await compare(record, createCall(call.blob, record.count))
      if (call.operation === 'Copy Blob' && ours.status < 300 && theirs.status < 300) {
        for (const read of readCalls(call.blob)) await compare(record, read)
        // In Azurite a copy shares its pages with its source: what is written to the one shows in the other.
        await forget(call.blob)
      }
    }

    process.stderr.write(describeRecord(record))
    expect(record.unknown).toEqual([])
    // The sequences are worth something only if a good part of them is accepted.
    const accepted = [...record.statuses].reduce((sum, [status, count]) => sum + (status < 300 ? count : 0), 0)
    expect(accepted).toBeGreaterThan(CALLS / 4)
  }, TIMEOUT_MS)
}

interface Comparison {
  count: number
  /** How often the local Azure answered with which status. */
  readonly statuses: Map<number, number>
  /** How often which known difference was met. */
  readonly known: Map<string, number>
  readonly unknown: string[]
}

function createRecord(): Comparison {
  return { count: 0, statuses: new Map(), known: new Map(), unknown: [] }
}

/** Makes the call on both sides and records what came of it. */
async function compare(record: Comparison, call: Call): Promise<[Outcome, Outcome]> {
  const [ours, theirs] = await twins.call(call)
  record.count++
  record.statuses.set(ours.status, (record.statuses.get(ours.status) ?? 0) + 1)
  if (isDeepStrictEqual(ours, theirs)) return [ours, theirs]

  const difference = knownDifference(call, ours, theirs)
  if (difference === undefined) record.unknown.push(describeDifference(call, ours, theirs))
  else record.known.set(difference.name, (record.known.get(difference.name) ?? 0) + 1)
  // One took what the other refused: from here on they would tell of different blobs.
  if (ours.status < 300 !== theirs.status < 300 || difference === undefined) await forget(call.blob)
  return [ours, theirs]
}

function isOfSnapshot(call: Call): boolean {
  return call.query?.includes('snapshot=') === true
}

async function openContainer(baseUrl: string): Promise<Service> {
  const containerUrl = `${baseUrl}/${ACCOUNT.name}/pages`
  const url = `${containerUrl}?restype=container`
  const headers = { 'x-ms-version': STORAGE_VERSION, 'content-length': '0' }
  const { status, code } = await send('PUT', url, signed(ACCOUNT, 'PUT', url, headers))
  if (status !== 201) throw new Error(`no container at ${containerUrl}: ${status} ${code}`)
  return { containerUrl, account: ACCOUNT }
}

/** The blob is gone on both sides afterwards, with its snapshots. */
async function forget(blob: string): Promise<void> {
  await twins.call({ operation: 'break', method: 'PUT', blob, query: 'comp=lease', headers: { 'x-ms-lease-action': 'break', 'x-ms-lease-break-period': '0' } })
  await twins.call({ operation: 'delete', method: 'DELETE', blob, headers: { 'x-ms-delete-snapshots': 'include' } })
  const [ours, theirs] = await twins.call({ operation: 'look', method: 'HEAD', blob })
  if (ours.status !== 404 || theirs.status !== 404) throw new Error(`${blob} cannot be deleted: ${ours.status}, ${theirs.status}`)
}

function describeDifference(call: Call, ours: Outcome, theirs: Outcome): string {
  const { operation, query = '', headers = {} } = call
  return `${operation} ?${query} ${JSON.stringify(headers)}: local Azure ${brief(ours)}, Azurite ${brief(theirs)}`
}

function brief(outcome: Outcome): string {
  const { body, ...rest } = outcome
  return JSON.stringify(body === undefined ? rest : { ...rest, body: `${body.slice(0, 16)}… (${body.length})` })
}

function describeRecord({ count, statuses, known }: Comparison): string {
  const answers = [...statuses].toSorted(([one], [other]) => one - other).map(([status, times]) => `${status}: ${times}`)
  const differences = KNOWN_DIFFERENCES.map(({ name, fact }) => `  ${known.get(name) ?? 0} × ${name}: ${fact}\n`)
  return `Azurite: ${count} calls, seed ${SEED}; answers ${answers.join(', ')}; differences:\n${differences.join('')}`
}
