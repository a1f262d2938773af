import type { IncomingMessage, ServerResponse } from 'node:http'
import { NO_JOURNAL, type Journal } from '../state/journal.ts'
import { createBlobFaults } from '../faults/blob-faults.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import type { VolumeStore } from '../store/volume-store.ts'
import { createAuthorizer, type AuthorizerOptions } from './auth/authorizer.ts'
import { BlobLedger } from './kept/blob-ledger.ts'
import { changedLimits, type BlobLimits } from './limits.ts'
import { Account, type AccountSettings } from './model/account.ts'
import { Container } from './model/container.ts'
import type { BlobServiceState } from './operation.ts'
import { PendingCopies } from './pending-copies.ts'
import { Publications } from './publications.ts'
import type { BlobPublisher } from './published-blob.ts'
import { createRequestHandler } from './request-handler.ts'
import { ServiceClock } from './service-clock.ts'
import { combineHooks, type ServiceHooks } from './service-hooks.ts'
import { StatsCounter, type BlobServiceStats } from './service-stats.ts'

/**
 * The blob half of the local Azure: storage accounts and published disks over the blob REST API, path style, as a
 * request handler for an http or https server that somebody else runs. State lives as long as the object does, or in a
 * journal.
 *
 * Not offered: append blobs, versions, soft delete, tags, tiers, access policies, container leases, batch and query.
 * They are answered with 501.
 */

export interface BlobServiceOptions {
  readonly store: VolumeStore
  /** Where clients reach the service, without a slash at the end: `https://localhost:10000`. */
  readonly baseUrl: () => string
  readonly verifyBearer: AuthorizerOptions['verifyBearer']
  /** Role assignments; the scope is an ARM id. Default: everything is allowed. */
  readonly authorize?: AuthorizerOptions['authorize']
  readonly clock?: () => Date
  readonly limits?: Partial<BlobLimits>
  /** How fast it is. Default: as fast as it can. */
  readonly shaper?: ServiceHooks
  /** What is to go wrong. Default: nothing. */
  readonly faults?: FaultPlan
  /** Keeps accounts, blobs and publications; the store must have joined it. Default: nothing is kept. */
  readonly journal?: Journal
}

export interface BlobService {
  handle(request: IncomingMessage, response: ServerResponse): void
  readonly publisher: BlobPublisher
  /** Ends the copies whose time has come. Requests to the service itself need not ask for it. */
  settleCopies(): void
  /** By name. */
  readonly accounts: ReadonlyMap<string, Account>
  /** A second account of a name takes the place of the first. */
  createAccount(settings: AccountSettings): Account
  deleteAccount(name: string): void
  account(name: string): Account | undefined
  /** Twice is fine. */
  createContainer(account: Account, name: string): void
  /** May be set and changed at any time; requests under way keep the hooks they began with. */
  hooks: ServiceHooks
  limits(): BlobLimits
  /** Takes effect on the next request. @throws ZodError */
  changeLimits(change: Partial<BlobLimits>): BlobLimits
  stats(): BlobServiceStats
}

export function createBlobService(options: BlobServiceOptions): BlobService {
  const clock = new ServiceClock(options.clock ?? (() => new Date()))
  const journal = options.journal ?? NO_JOURNAL
  const accounts = new Map<string, Account>()
  const pendingCopies = new PendingCopies({ accounts, clock, store: options.store })
  const ledger = new BlobLedger({ journal, store: options.store, clock, accounts, pendingCopies })
  const publications = new Publications({ journal, store: options.store, clock, baseUrl: options.baseUrl })
  const counter = new StatsCounter()
  const expiredSignatures = new Set<string>()
  const state: BlobServiceState = {
    store: options.store,
    clock,
    limits: changedLimits({}, options.limits ?? {}),
    accounts,
    publications,
    ledger,
    pendingCopies,
    expiredSignatures,
    baseUrl: options.baseUrl,
    authorize: createAuthorizer({
      publications,
      clock,
      expiredSignatures,
      verifyBearer: options.verifyBearer,
      authorize: options.authorize ?? (() => true),
    }),
  }
  const around = [
    ...(options.shaper === undefined ? [] : [options.shaper]),
    ...(options.faults === undefined ? [] : [createBlobFaults(options.faults, state)]),
  ]
  const service: BlobService = {
    handle: createRequestHandler(state, counter, () => combineHooks([...around, service.hooks])),
    publisher: publications,
    settleCopies: () => pendingCopies.settle(),
    accounts,
    createAccount(settings) {
      const account = new Account(settings)
      accounts.set(account.name, account)
      ledger.accountMade(account)
      return account
    },
    deleteAccount(name) {
      if (accounts.delete(name)) ledger.accountGone(name)
    },
    account: (name) => accounts.get(name),
    createContainer(account, name) {
      if (account.containers.has(name)) return
      const container = new Container(name, new Map(), clock.nextETag(), clock.now())
      account.containers.set(name, container)
      ledger.containerChanged(account.name, container)
    },
    hooks: {},
    limits: () => state.limits,
    changeLimits: (change) => (state.limits = changedLimits(state.limits, change)),
    stats: () => counter.stats(),
  }
  pendingCopies.keepBy(ledger)
  return service
}
