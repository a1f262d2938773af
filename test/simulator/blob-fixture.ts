import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  BlobServiceClient,
  StorageSharedKeyCredential,
  generateAccountSASQueryParameters,
  type StoragePipelineOptions,
} from '@azure/storage-blob'
import { Agent, request, type Dispatcher } from 'undici'
import {
  createBlobService,
  type BlobService,
  type BlobServiceOptions,
} from '../../simulator/blob-service/blob-service.ts'
import type { AccountSettings } from '../../simulator/blob-service/model/account.ts'
import { NO_JOURNAL, openJournal } from '../../simulator/state/journal.ts'
import { createVolumeStore, type VolumeStore } from '../../simulator/store/volume-store.ts'

/** A blob service on a loopback server of its own, with one account, the real SDK and raw requests against it. */

export const ACCOUNT = 'backups'
export const VERSION = '2023-11-03'
export const NO_RETRIES: StoragePipelineOptions = { retryOptions: { maxTries: 1 } }
const KEY = Buffer.alloc(64, 7).toString('base64')
const STANDARD_ACCOUNT = {
  kind: 'StorageV2',
  sku: 'Standard_LRS',
  isHnsEnabled: false,
  region: 'westeurope',
  key: KEY,
} as const

export interface BlobFixture {
  readonly store: VolumeStore
  readonly service: BlobService
  readonly baseUrl: string
  readonly credential: StorageSharedKeyCredential
  /** The SDK with the account key and no retries. */
  readonly sdk: BlobServiceClient
  /** The same for another account, which is made; what is not given is as of the first. */
  sdkOf(settings: Partial<AccountSettings> & { name: string }): BlobServiceClient
  /** `?sv=…` that may do everything in the account. */
  readonly sas: string
  /** A raw request; the path begins behind the base URL. The version header is there unless given as ''. */
  send(
    method: Dispatcher.HttpMethod,
    path: string,
    headers?: Record<string, string>,
    body?: Buffer | string,
  ): Promise<RawAnswer>
  /** The same with the SAS of the account and the path begun in it. */
  call(
    method: Dispatcher.HttpMethod,
    path: string,
    headers?: Record<string, string>,
    body?: Buffer | string,
  ): Promise<RawAnswer>
  close(): Promise<void>
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: Buffer
  /** `x-ms-error-code`. */
  readonly code: string | undefined
}

export interface FixtureOptions extends Partial<Omit<BlobServiceOptions, 'store' | 'baseUrl'>> {
  readonly tls?: { key: string; cert: string }
  /** Where state is kept; what is there is loaded, and the first account is made only when it is not there. */
  readonly stateDirectory?: string
}

export async function startBlobFixture({ tls, stateDirectory, ...options }: FixtureOptions = {}): Promise<BlobFixture> {
  const journal = stateDirectory === undefined ? NO_JOURNAL : await openJournal(stateDirectory)
  const store = await createVolumeStore(stateDirectory === undefined ? {} : { directory: stateDirectory, journal })
  let baseUrl = ''
  const service = createBlobService({
    store,
    journal,
    baseUrl: () => baseUrl,
    verifyBearer: () => undefined,
    ...options,
  })
  await journal.load()
  const server: Server = tls === undefined ? createHttpServer(service.handle) : createHttpsServer(tls, service.handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  const sdkOf = (settings: Partial<AccountSettings> & { name: string }) => {
    if (service.account(settings.name) === undefined) service.createAccount({ ...STANDARD_ACCOUNT, ...settings })
    const account = new StorageSharedKeyCredential(settings.name, KEY)
    return new BlobServiceClient(`${baseUrl}/${settings.name}`, account, NO_RETRIES)
  }
  const agent = new Agent({ connect: { rejectUnauthorized: false } })
  const credential = new StorageSharedKeyCredential(ACCOUNT, KEY)
  const sas = accountSas(credential)

  async function send(
    method: Dispatcher.HttpMethod,
    path: string,
    headers: Record<string, string> = {},
    body?: Buffer | string,
  ): Promise<RawAnswer> {
    const versioned = { 'x-ms-version': VERSION, ...headers }
    const sent = Object.fromEntries(Object.entries(versioned).filter(([, value]) => value !== ''))
    const response = await request(`${baseUrl}${path}`, {
      method,
      headers: sent,
      body: body ?? null,
      dispatcher: agent,
    })
    const received = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]))
    return {
      status: response.statusCode,
      headers: received,
      body: Buffer.from(await response.body.arrayBuffer()),
      code: received['x-ms-error-code'],
    }
  }

  return {
    store,
    service,
    baseUrl,
    credential,
    sas,
    sdk: sdkOf({ name: ACCOUNT }),
    sdkOf,
    send,
    call: (method, path, headers, body) =>
      send(method, `/${ACCOUNT}/${path}${path.includes('?') ? '&' : '?'}${sas.slice(1)}`, headers, body),
    async close() {
      await agent.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await store.close()
    },
  }
}

export function accountSas(
  credential: StorageSharedKeyCredential,
  permissions = 'rwdlacup',
  lifetimeMs = 3_600_000,
): string {
  const query = generateAccountSASQueryParameters(
    {
      permissions: AccountSASPermissions.parse(permissions),
      services: AccountSASServices.parse('b').toString(),
      resourceTypes: AccountSASResourceTypes.parse('sco').toString(),
      expiresOn: new Date(Date.now() + lifetimeMs),
    },
    credential,
  )
  return `?${query.toString()}`
}

/** The code and status that a call of the SDK fails with. */
export async function failure(call: Promise<unknown>): Promise<{ statusCode: unknown; code: unknown }> {
  try {
    await call
  } catch (error) {
    const { statusCode, details, code } = error as {
      statusCode?: unknown
      code?: unknown
      details?: { errorCode?: string }
    }
    return { statusCode, code: details?.errorCode ?? code }
  }
  throw new Error('the call did not fail')
}

export const page = (fill: number, count = 1) => Buffer.alloc(512 * count, fill)
