import type { IncomingMessage, ServerResponse } from 'node:http'
import createRouter from 'find-my-way'
import type { BlobPublisher } from '../blob-service/published-blob.ts'
import type { Volume } from '../store/volume.ts'
import { requestTarget } from '../tls/request-target.ts'
import type { ArmCall, ArmReply, BeforeOperation } from './arm-call.ts'
import { ArmError } from './arm-error.ts'
import { readJsonBody, replyOf, sendReply } from './arm-http.ts'
import { PROVIDER, SUBSCRIPTION_PATH, type ArmRoute } from './arm-routes.ts'
import { createAsyncOperations } from './async-operations.ts'
import { authenticate, type BearerOptions } from './authenticate.ts'
import { createInstantSource, type ComputeState } from './compute-state.ts'
import { diskKind, snapshotKind } from './managed-resource-kinds.ts'
import { managedResourceRoutes } from './managed-resource-routes.ts'
import { permissionsRoute } from './permissions-route.ts'
import { resourceGroupRoutes } from './resource-group-routes.ts'
import { createResourceGroups } from './resource-groups.ts'
import { createResourceTable } from './resource-table.ts'
import { requireAction, type RoleTable } from './roles.ts'
import type { ComputeSettings } from './settings.ts'
import { createSnapshotLog } from './snapshot-limits.ts'

/**
 * The resource manager of the local Azure: Microsoft.Compute disks and snapshots as an HTTP request handler.
 *
 * Each request goes through the same steps: api-version, token, subscription, resource group, role, hook, operation.
 * The bytes of disks and the SAS URLs belong to others (`createVolume`, `publisher`).
 */

export interface ComputeServiceOptions extends BearerOptions {
  readonly createVolume: (sizeBytes: number) => Volume
  readonly publisher: BlobPublisher
  /** Scheme, host and port under which `handle` is reached, without a trailing slash. */
  readonly baseUrl: () => string
  readonly settings: () => ComputeSettings
  readonly roles: RoleTable
  readonly clock: () => Date
  readonly beforeOperation?: BeforeOperation
}

export interface ComputeService {
  handle(request: IncomingMessage, response: ServerResponse): void
  readonly state: ComputeState
  /** Requests by operation id since the start, refused ones included if they were known and authenticated. */
  stats(): Record<string, number>
}

/** Longer than any valid name, so that a name too long is refused by its own rule and not as an unknown path. */
const MAX_PARAM_LENGTH = 1024

export function createComputeService(options: ComputeServiceOptions): ComputeService {
  const { clock, settings, baseUrl, roles } = options
  const state: ComputeState = {
    createVolume: options.createVolume,
    publisher: options.publisher,
    clock,
    nextInstant: createInstantSource(clock),
    settings,
    roles,
    groups: createResourceGroups(),
    disks: createResourceTable(),
    snapshots: createResourceTable(),
    snapshotLog: createSnapshotLog(),
    operations: createAsyncOperations({ settings, clock, baseUrl }),
  }
  const counts = new Map<string, number>()
  const pollPath = `${SUBSCRIPTION_PATH}/${PROVIDER}/locations/:location/DiskOperations/:operationId`
  const routes: ArmRoute[] = [
    ...managedResourceRoutes(state, diskKind(state), baseUrl),
    ...managedResourceRoutes(state, snapshotKind(state), baseUrl),
    ...resourceGroupRoutes(state.groups, options.tenantId),
    permissionsRoute(state.groups, roles),
    {
      operation: 'DiskOperations_Get',
      method: 'GET',
      path: pollPath,
      action: undefined,
      handle: (call) => state.operations.poll(call),
    },
  ]

  const serve = async (route: ArmRoute, request: IncomingMessage, params: ArmCall['params']): Promise<ArmReply> => {
    const { path, query } = requestTarget(request)
    const apiVersion = requireApiVersion(query)
    const caller = authenticate(request, options)
    counts.set(route.operation, (counts.get(route.operation) ?? 0) + 1)
    checkFrame(state, route, params)
    if (route.action !== undefined) requireAction(roles, caller, route.action, scopeOf(path))
    const body = await readJsonBody(request)
    const { operation } = route
    const call: ArmCall = { operation, caller, params, query, path, apiVersion, body }
    return (await options.beforeOperation?.(call)) ?? route.handle(call)
  }

  const router = createRouter({
    caseSensitive: false,
    ignoreTrailingSlash: true,
    maxParamLength: MAX_PARAM_LENGTH,
    defaultRoute: (request, response) => sendReply(request, response, replyOf(notRouted(request))),
  })
  for (const route of routes) {
    router.on(route.method, route.path, async (request, response, params) => {
      const reply = await serve(route, request, definedOnly(params)).catch(replyOf)
      sendReply(request, response, reply)
    })
  }

  return {
    state,
    stats: () => Object.fromEntries(counts),
    handle: (request, response) => void router.lookup(request, response),
  }
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
function scopeOf(path: string): string {
  return path.replace(/\/(beginGetAccess|endGetAccess)\/?$/i, '')
}

function notRouted(request: IncomingMessage): ArmError {
  const { path } = requestTarget(request)
  return new ArmError(404, 'InvalidResourceType', `No operation of the local Azure is at ${request.method} ${path}.`)
}

function definedOnly(params: Record<string, string | undefined>): Record<string, string> {
  const given = Object.entries(params).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  return Object.fromEntries(given)
}
