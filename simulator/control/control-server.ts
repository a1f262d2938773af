import type { IncomingMessage, ServerResponse } from 'node:http'
import createRouter from 'find-my-way'
import { z } from 'zod'
import { ArmError, errorBody, invalidParameter } from '../compute/arm-error.ts'
import { readJsonBody } from '../compute/arm-http.ts'
import { computeSettingsSchema } from '../compute/settings.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import { faultRuleSchema, type FaultRule } from '../faults/fault-rule.ts'
import type { Shaper } from '../shaping/shaper.ts'
import { shapingChangeSchema } from '../shaping/shaping-settings.ts'
import { requestTarget } from '../tls/request-target.ts'
import { accountSpecSchema, type AccountControl } from './account-control.ts'
import type { DiskControl } from './control.ts'

/**
 * The control API over HTTP: JSON, and plain bytes for the content of disks. One route for each method of the controls;
 * docs/local-azure.md lists them. It knows no callers and no secrets: whoever reaches it may do everything.
 */

export interface Controls extends DiskControl, AccountControl {
  readonly faults: FaultPlan
  readonly shaper: Shaper
  stats(): object
}

/** Nothing to tell is 204. */
type Answer = Buffer | object | void
type Handler = (query: URLSearchParams, request: IncomingMessage) => Promise<Answer> | Answer

/** A VM writes at most this much at once. */
const MAX_WRITE_BYTES = 64 * 1024 * 1024

const diskSchema = z.strictObject({
  name: z.string(),
  sizeGib: z.int().min(1),
  extraMib: z.int().min(0).max(1023).optional(),
  subscriptionId: z.string().optional(),
  resourceGroup: z.string().optional(),
  location: z.string().optional(),
  sku: z.string().optional(),
  zones: z.array(z.string()).optional(),
  logicalSectorSize: z.union([z.literal(512), z.literal(4096)]).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
})
const groupSchema = z.strictObject({
  name: z.string(),
  subscriptionId: z.string().optional(),
  location: z.string().optional(),
})
const rolesSchema = z.strictObject({
  principal: z.string().min(1),
  assignments: z.array(
    z.strictObject({
      actions: z.array(z.string()),
      notActions: z.array(z.string()).optional(),
      scope: z.string().optional(),
    }),
  ),
})
const rotSchema = z.strictObject({
  account: z.string(),
  container: z.string(),
  blob: z.string(),
  snapshot: z.string().optional(),
  offsetBytes: z.int().min(0),
  mask: z.int().min(1).max(255).optional(),
})
const growSchema = z.strictObject({ sizeGib: z.int().min(1) })

/** Answers 200 with JSON or bytes, 204 with nothing, or `{"error": {code, message}}` as the resource manager does. */
export function createControlHandler(controls: Controls) {
  const router = createRouter({ defaultRoute: (_request, response) => send(response, 404, undefined) })
  const route = (method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE', path: string, handler: Handler): void => {
    router.on(method, path, async (request, response) => {
      try {
        const answer = await handler(requestTarget(request).query, request)
        send(response, answer === undefined ? 204 : 200, answer)
      } catch (error) {
        sendError(response, error)
      }
    })
  }

  route('PUT', '/resource-groups', async (_query, request) => {
    controls.createResourceGroup(await body(groupSchema, request))
  })
  route('POST', '/disks', async (_query, request) => controls.createDisk(await body(diskSchema, request)))
  route('PATCH', '/disks', async (query, request) => {
    const { sizeGib } = await body(growSchema, request)
    controls.growDisk(text(query, 'id'), sizeGib)
  })
  route('DELETE', '/disks', (query) => controls.deleteDisk(text(query, 'id')))
  route('DELETE', '/snapshots', (query) => controls.deleteSnapshot(text(query, 'id')))
  route('GET', '/content', (query) =>
    controls.readDisk(text(query, 'id'), bytes(query, 'offset'), bytes(query, 'length')),
  )
  route('PUT', '/content', async (query, request) => {
    await controls.writeDisk(text(query, 'id'), bytes(query, 'offset'), await readBytes(request))
  })
  route('DELETE', '/content', (query) =>
    controls.clearDisk(text(query, 'id'), bytes(query, 'offset'), bytes(query, 'length')),
  )
  route('GET', '/digest', (query) => {
    if (!query.has('offset') && !query.has('length')) return controls.digestDisk(text(query, 'id'))
    return controls.digestDisk(text(query, 'id'), {
      offsetBytes: bytes(query, 'offset'),
      lengthBytes: bytes(query, 'length'),
    })
  })
  route('GET', '/access', () => controls.grantedAccess())
  route('DELETE', '/access', (query) => controls.withdrawAccess(text(query, 'id')))
  route('PUT', '/roles', async (_query, request) => {
    const { principal, assignments } = await body(rolesSchema, request)
    controls.assignRoles(principal, assignments)
  })
  route('GET', '/settings', () => controls.settings())
  route('PATCH', '/settings', async (_query, request) => {
    // Parsing by the full schema would fill in the defaults of everything that is not named.
    const change = z.record(z.string(), z.unknown()).parse(await readJsonBody(request))
    return controls.changeSettings(computeSettingsSchema.parse({ ...controls.settings(), ...change }))
  })
  route('PUT', '/accounts', async (_query, request) => controls.createAccount(await body(accountSpecSchema, request)))
  route('DELETE', '/accounts', (query) => controls.deleteAccount(text(query, 'name')))
  route('PUT', '/containers', (query) => controls.createContainer(text(query, 'account'), text(query, 'name')))
  route('GET', '/usage', () => ({ snapshots: controls.usage() }))
  route('POST', '/rot', async (_query, request) => controls.rotBlob(await body(rotSchema, request)))
  route('GET', '/storage-usage', (query) => controls.storageUsage(text(query, 'account')))
  route('GET', '/blob-limits', () => controls.blobLimits())
  route('PATCH', '/blob-limits', async (_query, request) =>
    controls.changeBlobLimits(z.record(z.string(), z.unknown()).parse(await readJsonBody(request))),
  )
  route('POST', '/faults', async (_query, request) => ({
    id: addFault(controls.faults, faultRuleSchema.parse(await readJsonBody(request))),
  }))
  route('GET', '/faults', () => ({ rules: controls.faults.rules(), fired: controls.faults.fired() }))
  route('DELETE', '/faults', (query) => {
    if (query.has('id')) controls.faults.remove(text(query, 'id'))
    else controls.faults.clear()
  })
  route('GET', '/shaping', () => controls.shaper.settings())
  route('PUT', '/shaping', async (_query, request) =>
    controls.shaper.change(shapingChangeSchema.parse(await readJsonBody(request))),
  )
  route('GET', '/stats', () => controls.stats())

  return (request: IncomingMessage, response: ServerResponse): void => void router.lookup(request, response)
}

/** @throws ArmError 409 for an id that is taken. */
function addFault(faults: FaultPlan, rule: FaultRule): string {
  const isTaken = faults.rules().some(({ id }) => id === rule.id)
  if (isTaken) throw new ArmError(409, 'Conflict', `There is a fault rule '${rule.id}' already.`)
  return faults.add(rule)
}

async function body<T>(schema: z.ZodType<T>, request: IncomingMessage): Promise<T> {
  return schema.parse(await readJsonBody(request))
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let totalBytes = 0
  for await (const chunk of request) {
    totalBytes += (chunk as Buffer).length
    if (totalBytes > MAX_WRITE_BYTES) throw invalidParameter('body', `At most ${MAX_WRITE_BYTES} bytes at once.`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

function text(query: URLSearchParams, name: string): string {
  const value = query.get(name)
  if (value === null || value === '') throw invalidParameter(name, 'It is missing.')
  return value
}

function bytes(query: URLSearchParams, name: string): number {
  const value = text(query, name)
  if (!/^\d{1,16}$/.test(value)) throw invalidParameter(name, 'It must be a number of bytes.')
  return Number(value)
}

function sendError(response: ServerResponse, error: unknown): void {
  if (error instanceof ArmError) return send(response, error.status, errorBody(error))
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof z.ZodError) {
    return send(response, 400, errorBody(new ArmError(400, 'InvalidParameter', z.prettifyError(error))))
  }
  send(response, 500, errorBody(new ArmError(500, 'InternalServerError', message)))
}

function send(response: ServerResponse, status: number, answer: Answer): void {
  if (answer === undefined) return void response.writeHead(status).end()
  const isBytes = Buffer.isBuffer(answer)
  const content = isBytes ? answer : Buffer.from(`${JSON.stringify(answer)}\n`)
  response.writeHead(status, {
    'content-type': isBytes ? 'application/octet-stream' : 'application/json; charset=utf-8',
    'content-length': content.length,
  })
  response.end(content)
}
