import { mkdtemp, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBlobService, type BlobService } from './blob-service/blob-service.ts'
import type { BlobLimits } from './blob-service/limits.ts'
import type { ServiceHooks } from './blob-service/service-hooks.ts'
import type { BeforeOperation } from './compute/arm-call.ts'
import { createComputeService, type ComputeService } from './compute/compute-service.ts'
import { createRoleTable } from './compute/roles.ts'
import { createStorageDirectory } from './compute/storage-directory.ts'
import type { ComputeSettingsChange } from './compute/settings.ts'
import { createAccountControl, type AccountControl } from './control/account-control.ts'
import { createControlHandler, type Controls } from './control/control-server.ts'
import { createKeptRoles, createKeptSettings } from './control/kept-choices.ts'
import { createDiskControl, type DiskControl } from './control/control.ts'
import { FaultPlan } from './faults/fault-plan.ts'
import { Shaper, type ShapingStats } from './shaping/shaper.ts'
import type { ShapingChange } from './shaping/shaping-settings.ts'
import { createIdentityHandler } from './identity/identity-endpoint.ts'
import { createPrincipalDirectory } from './identity/principals.ts'
import { createTokenIssuer } from './identity/tokens.ts'
import { NO_JOURNAL, openJournal, type Journal } from './state/journal.ts'
import { createVolumeStore, type VolumeStore } from './store/volume-store.ts'
import { ensureAuthority } from './tls/authority-directory.ts'
import { issueServerCertificate, type KeyedCertificate } from './tls/certificates.ts'
import { listen } from './tls/listen.ts'

/**
 * The local Azure, composed: resource manager and blob service over HTTPS, managed-identity endpoint and control API
 * over HTTP, all of them on one machine. The unmodified Azure SDKs talk to it; docs/local-azure.md tells how.
 *
 * It keeps its state in memory and its bytes in a file and forgets both when it is closed, unless it is given a
 * directory to keep them in.
 */

export const DEFAULT_SUBSCRIPTION_ID = '00000000-0000-4000-8000-000000000001'
/** The principal that may do everything; also the IDENTITY_HEADER that selects it. */
export const DEFAULT_PRINCIPAL = 'local-azure'

const RESOURCE_MANAGER_AUDIENCE = 'https://management.azure.com'
/** Both are accepted by ARM; older tools ask for the second. */
const RESOURCE_MANAGER_AUDIENCES = [RESOURCE_MANAGER_AUDIENCE, 'https://management.core.windows.net']

export interface LocalAzureOptions {
  /** Address to listen on. Default 127.0.0.1: reachable from this machine only. */
  readonly host?: string | undefined
  /** Name in all endpoint URLs, put into the certificate. Default `localhost`. */
  readonly hostName?: string | undefined
  /** Each default 0: a free one. */
  readonly ports?: LocalAzurePorts | undefined
  /** Where the CA is kept or made. Default: in `stateDir`, else a directory that is removed on close. */
  readonly caDir?: string | undefined
  /** Where the bytes of volumes lie. Default: a temporary file. */
  readonly dataDir?: string | undefined
  /** Keeps everything in this directory, and goes on from what is there. Ports are kept only if they are given. */
  readonly stateDir?: string | undefined
  readonly subscriptionId?: string | undefined
  readonly settings?: ComputeSettingsChange | undefined
  readonly blobLimits?: Partial<BlobLimits> | undefined
  /** Time of tokens, SAS, creation and limits. Default: the system's. Delays run on real time. */
  readonly clock?: (() => Date) | undefined
  /** How slow the blob service is; see `shaping-settings.ts`. Default `none`. */
  readonly shaping?: ShapingChange | undefined
  /** May answer in the place of any operation of the resource manager. */
  readonly beforeOperation?: BeforeOperation | undefined
  /** Stand around every operation of the blob service. */
  readonly blobHooks?: ServiceHooks | undefined
}

export interface LocalAzurePorts {
  readonly resourceManager?: number | undefined
  readonly blob?: number | undefined
  readonly identity?: number | undefined
  readonly control?: number | undefined
}

/** Where everything is; also the content of the ready file. */
export interface LocalAzureEndpoints {
  readonly resourceManagerEndpoint: string
  /** Scope of tokens: this and `/.default`. */
  readonly resourceManagerAudience: string
  /** An account is at `<blobEndpoint>/<account>`. */
  readonly blobEndpoint: string
  readonly identityEndpoint: string
  readonly identityHeader: string
  readonly controlEndpoint: string
  readonly subscriptionId: string
  /** PEM of the CA. Clients trust it by NODE_EXTRA_CA_CERTS, which a process reads only when it starts. */
  readonly caFile: string
  /** What a client process needs in its environment. */
  readonly env: Readonly<Record<string, string>>
}

export interface LocalAzureStats {
  readonly compute: ReturnType<ComputeService['stats']>
  readonly blob: ReturnType<BlobService['stats']>
  readonly shaping: ShapingStats
}

export interface LocalAzure extends LocalAzureEndpoints, DiskControl, AccountControl {
  /** What goes wrong, by rule, in both services. */
  readonly faults: FaultPlan
  /** How slow the blob service is. */
  readonly shaper: Shaper
  stats(): LocalAzureStats
  /** Stops all servers and forgets everything. Twice is fine. */
  close(): Promise<void>
}

/**
 * Starts a local Azure and resolves when all its servers listen.
 * @throws the system's error when a port is taken.
 */
export async function startLocalAzure(options: LocalAzureOptions = {}): Promise<LocalAzure> {
  const closers: Array<() => Promise<void>> = []
  const close = closeOnce(closers)
  try {
    const { stateDir } = options
    const journal = stateDir === undefined ? NO_JOURNAL : await openJournal(stateDir)
    closers.push(() => journal.close())
    const keptCaDir = stateDir === undefined ? undefined : join(stateDir, 'ca')
    const authority = await ensureAuthority(options.caDir ?? keptCaDir ?? (await temporaryDirectory(closers)))
    const dataDir = options.dataDir ?? stateDir
    const store = await createVolumeStore(dataDir === undefined ? {} : { directory: dataDir, journal })
    closers.push(() => store.close())
    const addresses: ServiceAddresses = { resourceManager: '', blob: '' }
    const services = composeServices(options, { store, journal, addresses })
    await journal.load()
    services.resume()

    const hostName = options.hostName ?? 'localhost'
    const dns = [...new Set([hostName, 'localhost'])]
    const certificate = await issueServerCertificate(authority, { dns, ip: ['127.0.0.1', '::1'] })
    const start = async (handler: RequestListener, port = 0, secured?: KeyedCertificate): Promise<string> => {
      const host = options.host ?? '127.0.0.1'
      const listener = await listen(handler, { host, port, ...(secured === undefined ? {} : { certificate: secured }) })
      closers.push(() => listener.close())
      return `${secured === undefined ? 'http' : 'https'}://${hostName}:${listener.port}`
    }
    const ports = options.ports ?? {}
    addresses.resourceManager = await start(services.handleResourceManager, ports.resourceManager, certificate)
    addresses.blob = await start(services.handleBlob, ports.blob, certificate)
    const identityEndpoint = `${await start(services.handleIdentity, ports.identity)}/msi/token`
    const controlEndpoint = await start(createControlHandler(services.controls), ports.control)

    return {
      ...services.controls,
      resourceManagerEndpoint: addresses.resourceManager,
      resourceManagerAudience: RESOURCE_MANAGER_AUDIENCE,
      blobEndpoint: addresses.blob,
      identityEndpoint,
      identityHeader: DEFAULT_PRINCIPAL,
      controlEndpoint,
      subscriptionId: options.subscriptionId ?? DEFAULT_SUBSCRIPTION_ID,
      caFile: authority.certificateFile,
      env: {
        SNAPFERRY_RESOURCE_MANAGER_ENDPOINT: addresses.resourceManager,
        SNAPFERRY_RESOURCE_MANAGER_AUDIENCE: RESOURCE_MANAGER_AUDIENCE,
        IDENTITY_ENDPOINT: identityEndpoint,
        IDENTITY_HEADER: DEFAULT_PRINCIPAL,
        NODE_EXTRA_CA_CERTS: authority.certificateFile,
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Filled in when the servers listen; until then nobody asks. */
interface ServiceAddresses {
  resourceManager: string
  blob: string
}

interface ServiceParts {
  readonly store: VolumeStore
  readonly journal: Journal
  readonly addresses: ServiceAddresses
}

interface Services {
  /** To be called once when the journal has been loaded. */
  resume(): void
  readonly handleResourceManager: RequestListener
  readonly handleBlob: RequestListener
  readonly handleIdentity: RequestListener
  readonly controls: Controls & Pick<LocalAzure, 'faults' | 'shaper' | 'stats'>
}

/** The services, wired to each other and to the journal, which is not loaded, nor does anything listen yet. */
function composeServices(options: LocalAzureOptions, parts: ServiceParts): Services {
  const { store, journal, addresses } = parts
  const clock = options.clock ?? (() => new Date())
  const subscriptionId = options.subscriptionId ?? DEFAULT_SUBSCRIPTION_ID
  const directory = createPrincipalDirectory()
  const { tenantId } = directory
  const tokens = createTokenIssuer({ tenantId, clock, journal })
  const { verifyBearer } = tokens
  const roles = createRoleTable()
  roles.assign(directory.ensure(DEFAULT_PRINCIPAL).principalId, [{ actions: ['*'] }])
  const keptRoles = createKeptRoles(journal, directory, roles)
  const settings = createKeptSettings(journal, options.settings ?? {})

  const baseUrl = (): string => addresses.blob
  const limits = options.blobLimits ?? {}
  const faults = new FaultPlan(clock)
  const shaper = new Shaper(options.shaping)
  const blobs = createBlobService({
    store,
    baseUrl,
    verifyBearer,
    authorize: roles.isAllowed,
    clock,
    limits,
    journal,
    shaper,
    faults,
  })
  blobs.hooks = options.blobHooks ?? {}
  const compute = createComputeService({
    store,
    journal,
    publisher: blobs.publisher,
    storage: createStorageDirectory(blobs, baseUrl),
    baseUrl: () => addresses.resourceManager,
    blobBaseUrl: baseUrl,
    settings: settings.present,
    roles,
    clock,
    faults,
    tenantId,
    audiences: RESOURCE_MANAGER_AUDIENCES,
    verifyBearer,
    ...(options.beforeOperation === undefined ? {} : { beforeOperation: options.beforeOperation }),
  })

  const diskControl = createDiskControl({
    state: compute.state,
    subscriptionId,
    changeSettings: settings.change,
    assignRoles: keptRoles.assign,
  })
  return {
    resume() {
      compute.resume()
      compute.state.groups.addSubscription(subscriptionId)
    },
    handleResourceManager: (request, response) => compute.handle(request, response),
    handleBlob: (request, response) => blobs.handle(request, response),
    handleIdentity: createIdentityHandler(directory, tokens),
    controls: {
      ...diskControl,
      ...createAccountControl({ blobs, subscriptionId }),
      faults,
      shaper,
      stats: () => ({ compute: compute.stats(), blob: blobs.stats(), shaping: shaper.stats() }),
    },
  }
}

/** What was opened last closes first. */
function closeOnce(closers: ReadonlyArray<() => Promise<void>>): () => Promise<void> {
  let closed: Promise<void> | undefined
  const closeAll = async (): Promise<void> => {
    for (const closeOne of [...closers].reverse()) await closeOne()
  }
  return () => (closed ??= closeAll())
}

async function temporaryDirectory(closers: Array<() => Promise<void>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'local-azure-'))
  closers.push(() => rm(directory, { recursive: true, force: true }))
  return directory
}
