import type { IncomingMessage, ServerResponse } from 'node:http'
import createRouter from 'find-my-way'
import { withArmFaults } from '../faults/arm-faults.ts'
import { ConnectionDropped } from '../faults/connection-dropped.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import type { BlobPublisher } from '../blob-service/published-blob.ts'
import type { Journal } from '../state/journal.ts'
import type { VolumeStore } from '../store/volume-store.ts'
import { requestTarget } from '../tls/request-target.ts'
import type { ArmCall, ArmReply, BeforeOperation } from './arm-call.ts'
import { ArmError } from './arm-error.ts'
import { readJsonBody, replyOf, sendReply } from './arm-http.ts'
import { PROVIDER, SUBSCRIPTION_PATH, type ArmRoute } from './arm-routes.ts'
import { createAsyncOperations } from './async-operations.ts'
import { createArmThrottle } from './arm-throttle.ts'
import { authenticate, type BearerOptions } from './authenticate.ts'
import { createInstantSource, type ComputeState } from './compute-state.ts'
import { diskRestorePointRoutes } from './disk-restore-point-routes.ts'
import { diskKind, snapshotKind } from './managed-resource-kinds.ts'
import { managedResourceRoutes } from './managed-resource-routes.ts'
import { permissionsRoute } from './permissions-route.ts'
import { resourceGroupRoutes } from './resource-group-routes.ts'
import { createResourceGroups } from './resource-groups.ts'
import { createResourceTables } from './kept/resource-tables.ts'
import { requireAction, type RoleTable } from './roles.ts'
import type { ComputeSettings } from './settings.ts'
import { createSnapshotLog, RATE_WINDOW_MS, recountSnapshots } from './snapshot-limits.ts'
import { restorePointRoutes } from './restore-point-routes.ts'
import { HOUR_MS } from './restore-points.ts'
import { storageAccountRoutes } from './storage-account-routes.ts'
import type { StorageDirectory } from './storage-directory.ts'
import { virtualMachineRoutes } from './virtual-machine-routes.ts'

/**
 * The resource manager of the local Azure as an HTTP request handler: disks, snapshots, virtual machines and their
 * restore points, resource groups, and what there is of storage accounts.
 *
 * Each request goes through the same steps: api-version, token, subscription, resource group, role, throttle, faults,
 * hook, operation.
 * The bytes of disks and the SAS URLs belong to others (`store`, `publisher`).
 */

export interface ComputeServiceOptions extends BearerOptions {
  readonly store: VolumeStore
  /** Keeps all resources; the store and the publisher must have joined it. */
  readonly journal: Journal
  readonly publisher: BlobPublisher
  readonly storage: StorageDirectory
  /** Scheme, host and port under which `handle` is reached, without a trailing slash. */
  readonly baseUrl: () => string
  /** The same for the blob service. */
  readonly blobBaseUrl: () => string
  readonly settings: () => ComputeSettings
  readonly roles: RoleTable
  readonly clock: () => Date
  readonly faults: FaultPlan
  readonly beforeOperation?: BeforeOperation
}

export interface ComputeService {
  handle(request: IncomingMessage, response: ServerResponse): void
  readonly state: ComputeState
  /** To be called once when the journal has been loaded. */
  resume(): void
  /** Requests by operation id since the start, refused ones included if they were known and authenticated. */
  stats(): Record<string, number>
}

/** Longer than any valid name, so that a name too long is refused by its own rule and not as an unknown path. */
const MAX_PARAM_LENGTH = 1024

export function createComputeService(options: ComputeServiceOptions): ComputeService {
  const { clock, settings, baseUrl, roles, journal } = options
  const state: ComputeState = {
    createVolume: (sizeBytes) => options.store.createVolume(sizeBytes),
    publisher: options.publisher,
    storage: options.storage,
    clock,
    nextInstant: createInstantSource(clock),
    settings,
    roles,
    faults: options.faults,
    groups: createResourceGroups(journal),
    ...createResourceTables(journal, {
      volume: (id) => options.store.volume(id),
      frozenVolume: (id) => options.store.frozenVolume(id),
      publication: (id) => options.publisher.find(id),
    }),
    snapshotLog: createSnapshotLog(RATE_WINDOW_MS),
    restorePointLog: createSnapshotLog(HOUR_MS),
    operations: createAsyncOperations({ settings, clock, baseUrl, journal, faults: options.faults }),
  }
  const counts = new Map<string, number>()
  const throttle = createArmThrottle({ settings, clock })
  const routes: ArmRoute[] = [
    ...managedResourceRoutes(state, diskKind(state), baseUrl),
    ...managedResourceRoutes(state, snapshotKind(state), baseUrl),
    ...virtualMachineRoutes(state, baseUrl),
    ...restorePointRoutes(state, baseUrl),
    ...diskRestorePointRoutes(state),
    ...resourceGroupRoutes(state, options.tenantId),
    permissionsRoute(state.groups, roles),
    ...storageAccountRoutes(options.storage, options.blobBaseUrl),
    ...operationRoutes(state),
  ]

  const serve = async (route: ArmRoute, request: IncomingMessage, params: ArmCall['params']): Promise<ArmReply> => {
    const { path, query } = requestTarget(request)
    const apiVersion = requireApiVersion(query)
    const caller = authenticate(request, options)
    counts.set(route.operation, (counts.get(route.operation) ?? 0) + 1)
    checkFrame(state, route, params)
    if (route.action !== undefined) requireAction(roles, caller, route.action, scopeOf(route, path))
    const body = await readJsonBody(request)
    const { operation } = route
    const call: ArmCall = { operation, caller, params, query, path, apiVersion, body }
    const admission = throttle.admit(call, route.method)
    if (admission.kind === 'throttled') return admission.reply
    const run = async (): Promise<ArmReply> => (await options.beforeOperation?.(call)) ?? route.handle(call)
    const reply = await withArmFaults(options.faults, call, run)
    return { ...reply, headers: { ...admission.headers, ...reply.headers } }
  }

  const router = createRouter({
    caseSensitive: false,
    ignoreTrailingSlash: true,
    maxParamLength: MAX_PARAM_LENGTH,
    defaultRoute: (request, response) => sendReply(request, response, replyOf(notRouted(request))),
  })
  for (const route of routes) {
    router.on(route.method, route.path, async (request, response, params) => {
      try {
        sendReply(request, response, await serve(route, request, definedOnly(params)))
      } catch (error) {
        if (error instanceof ConnectionDropped) response.destroy()
        else sendReply(request, response, replyOf(error))
      }
    })
  }

  return {
    state,
    resume: () => recountSnapshots(state),
    stats: () => Object.fromEntries(counts),
    handle: (request, response) => void router.lookup(request, response),
  }
}

/** Knowing the address is enough: nobody guesses it. */
function operationRoutes(state: ComputeState): ArmRoute[] {
  const places = ['DiskOperations', 'operations'].map((kind) => `${PROVIDER}/locations/:location/${kind}`)
  return [...places, 'operationresults'].map((place) => ({
    operation: 'Operations_Get',
    method: 'GET',
    path: `${SUBSCRIPTION_PATH}/${place}/:operationId`,
    action: undefined,
    handle: (call) => state.operations.poll(call),
  }))
}

/** Any dated version will do: the shapes answered are those of 2025-01-02. */
function requireApiVersion(query: URLSearchParams): string {
  const apiVersion = query.get('api-version')
  if (apiVersion === null || apiVersion === '') {
    throw new ArmError(
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    )
  }
  if (!/^20\d\d-\d\d-\d\d(-preview)?$/.test(apiVersion)) {
    throw new ArmError(400, 'InvalidApiVersionParameter', `The api-version '${apiVersion}' is invalid.`)
  }
  return apiVersion
}

/** Subscription and resource group must be there, except for the operations on the group itself. */
function checkFrame(state: ComputeState, route: ArmRoute, params: ArmCall['params']): void {
  const { subscriptionId, resourceGroup } = params
  if (subscriptionId === undefined) return
  state.groups.requireSubscription(subscriptionId)
  const isInGroup = resourceGroup !== undefined && route.path.includes(PROVIDER)
  if (isInGroup) state.groups.require({ subscriptionId, resourceGroup })
}

/** The resource that an action is on: the path without the name of a POST action. */
function scopeOf(route: ArmRoute, path: string): string {
  return route.method === 'POST' ? path.replace(/\/[^/]+\/?$/, '') : path
}

function notRouted(request: IncomingMessage): ArmError {
  const { path } = requestTarget(request)
  return new ArmError(404, 'InvalidResourceType', `No operation of the local Azure is at ${request.method} ${path}.`)
}

function definedOnly(params: Record<string, string | undefined>): Record<string, string> {
  const given = Object.entries(params).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  return Object.fromEntries(given)
}
