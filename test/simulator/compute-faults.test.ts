import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { ComputeManagementClient } from '@azure/arm-compute'
import type { LocalAzure } from '../../simulator/azure.ts'
import { callResourceManager, computeClient, refusalOf, startForTests } from './local-azure-support.ts'

const GROUP = 'faults-rg'
const VERSION = 'api-version=2025-01-02'

let azure: LocalAzure
let client: ComputeManagementClient
let diskId: string
beforeAll(async () => {
  azure = await startForTests()
  client = computeClient(azure)
  diskId = azure.createDisk({ name: 'disk', resourceGroup: GROUP, sizeGib: 1 }).id
})
afterAll(() => azure.close())
afterEach(() => azure.faults.clear())

const read = (): Promise<Response> => callResourceManager(azure, 'GET', `${diskId}?${VERSION}`)
const post = (path: string, body: unknown): Promise<Response> =>
  fetch(`${azure.controlEndpoint}${path}`, { method: 'POST', body: JSON.stringify(body) })

test('a rule of the control API answers in the place of an operation, and is counted', async () => {
  const rule = { operation: 'Disks_Get', nth: 2, effect: { kind: 'status', status: 503, retryAfterSeconds: 7 } }
  const { id } = (await (await post('/faults', rule)).json()) as { id: string }
  expect((await post('/faults', { ...rule, id })).status).toBe(409)
  expect((await post('/faults', { effect: { kind: 'nothing' } })).status).toBe(400)

  expect((await read()).status).toBe(200)
  const refused = await read()
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '7'])
  expect((await read()).status).toBe(200)
  const told = await (await fetch(`${azure.controlEndpoint}/faults`)).json()
  expect(told).toMatchObject({
    rules: [{ id, seen: 3, fired: 1 }],
    fired: [{ ruleId: id, kind: 'status', operation: 'Disks_Get', resource: diskId, call: 2 }],
  })
  await fetch(`${azure.controlEndpoint}/faults?id=${id}`, { method: 'DELETE' })
  expect(azure.faults.rules()).toEqual([])
})

test('a reset after the work is done leaves it done and the client without an answer', async () => {
  azure.faults.add({ operation: 'Disks_Update', effect: { kind: 'reset', when: 'after' } })
  const patch = callResourceManager(azure, 'PATCH', `${diskId}?${VERSION}`, { tags: { lost: 'answer' } })
  await expect(patch).rejects.toThrow()
  expect((await client.disks.get(GROUP, 'disk')).tags).toEqual({ lost: 'answer' })
})

test('a token that is refused is 401', async () => {
  azure.faults.add({ times: 1, effect: { kind: 'refuseToken' } })
  expect((await read()).status).toBe(401)
  expect((await read()).status).toBe(200)
})

test('a long-running operation fails at its end', async () => {
  azure.faults.add({
    operation: 'Snapshots_CreateOrUpdate',
    effect: { kind: 'failOperation', code: 'InternalExecutionError', message: 'Try again.' },
  })
  const creationData = { createOption: 'Copy', sourceResourceId: diskId }
  const body = { location: 'westeurope', incremental: true, creationData }
  const refusal = await refusalOf(client.snapshots.createOrUpdate(GROUP, 'failing', body))
  expect(refusal.message).toContain('InternalExecutionError')
  expect(azure.faults.fired()).toMatchObject([{ kind: 'failOperation' }])
})

test('the blob service is shaped by the control API', async () => {
  const put = (change: unknown): Promise<Response> =>
    fetch(`${azure.controlEndpoint}/shaping`, { method: 'PUT', body: JSON.stringify(change) })
  expect(await (await put('azure')).json()).toMatchObject({ blob: { requestsPerSecond: 500 }, latencyMs: 15 })
  expect((await put({ latencyMs: -1 })).status).toBe(400)
  expect(azure.shaper.settings().latencyMs).toBe(15)
  await put('none')
  expect(await (await fetch(`${azure.controlEndpoint}/shaping`)).json()).toMatchObject({ blob: {}, latencyMs: 0 })
})
