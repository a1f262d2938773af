import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ContainerClient } from '@azure/storage-blob'
import type { LocalAzure } from '../../simulator/azure.ts'
import { computeClient, credentialOf, refusalOf, startForTests } from './local-azure-support.ts'

let azure: LocalAzure
beforeAll(async () => {
  azure = await startForTests()
})
afterAll(() => azure.close())

const call = (method: string, path: string, body?: object | Buffer): Promise<Response> =>
  fetch(`${azure.controlEndpoint}${path}`, {
    method,
    ...(body === undefined ? {} : { body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body) }),
  })

const content = (id: string, range: string): string => `/content?id=${encodeURIComponent(id)}&${range}`

async function aDisk(name: string): Promise<string> {
  const made = await call('POST', '/disks', { name, sizeGib: 1, resourceGroup: 'control-rg' })
  expect(made.status).toBe(200)
  return ((await made.json()) as { id: string }).id
}

describe('control API over HTTP', () => {
  test('a disk is made, written, cleared, read, digested, grown and deleted', async () => {
    const id = await aDisk('handled')
    expect((await call('PUT', content(id, 'offset=4096'), Buffer.alloc(1024, 6))).status).toBe(204)
    expect((await call('DELETE', content(id, 'offset=4096&length=512'))).status).toBe(204)
    const read = await call('GET', content(id, 'offset=4096&length=1024'))
    const expected = Buffer.concat([Buffer.alloc(512), Buffer.alloc(512, 6)])
    expect(Buffer.from(await read.arrayBuffer())).toEqual(expected)

    const digest = await call('GET', `/digest?id=${encodeURIComponent(id)}`)
    expect(await digest.json()).toEqual(await azure.digestDisk(id))
    const part = await call('GET', `/digest?id=${encodeURIComponent(id)}&offset=0&length=4096`)
    expect(await part.json()).toMatchObject({ offsetBytes: 0, lengthBytes: 4096, hashedBytes: 0 })

    const client = computeClient(azure)
    expect((await call('PATCH', `/disks?id=${encodeURIComponent(id)}`, { sizeGib: 3 })).status).toBe(204)
    expect((await client.disks.get('control-rg', 'handled')).diskSizeGB).toBe(3)
    expect((await call('DELETE', `/disks?id=${encodeURIComponent(id)}`)).status).toBe(204)
    expect(await refusalOf(client.disks.get('control-rg', 'handled'))).toMatchObject({ status: 404 })
  })

  test('what does not fit is refused with a reason', async () => {
    const id = await aDisk('refusing')
    const refusals: ReadonlyArray<[number, string, Promise<Response>]> = [
      [400, 'multiple of 512', call('PUT', content(id, 'offset=100'), Buffer.alloc(512))],
      [400, 'multiple of 512', call('PUT', content(id, 'offset=0'), Buffer.alloc(100))],
      [400, 'ends behind', call('PUT', content(id, `offset=${1024 ** 3}`), Buffer.alloc(512))],
      [400, 'offset', call('GET', content(id, 'length=512'))],
      [400, 'offset', call('GET', content(id, 'offset=-1&length=512'))],
      [400, 'ARM id', call('GET', content('/nonsense', 'offset=0&length=512'))],
      [404, 'not found', call('GET', content(`${id}x`, 'offset=0&length=512'))],
      [409, 'exists already', call('POST', '/disks', { name: 'refusing', sizeGib: 1, resourceGroup: 'control-rg' })],
      [400, 'sizeGib', call('POST', '/disks', { name: 'unsized' })],
      [400, 'unknown', call('PATCH', '/settings', { unknown: 1 })],
      [400, 'pageSize', call('PATCH', '/settings', { pageSize: 0 })],
    ]
    for (const [status, reason, refusal] of refusals) {
      const response = await refusal
      const { error } = (await response.json()) as { error: { message: string } }
      expect([response.status, error.message]).toEqual([status, expect.stringContaining(reason)])
    }
  })

  test('settings change one by one and take effect at once', async () => {
    const before = azure.settings()
    const changed = await call('PATCH', '/settings', { pageSize: 2 })
    expect(await changed.json()).toEqual({ ...before, pageSize: 2 })
    expect(await (await call('GET', '/settings')).json()).toEqual({ ...before, pageSize: 2 })
    azure.changeSettings({ pageSize: 50 })
  })

  test('a principal is made by giving it a role', async () => {
    const assignments = [{ actions: ['Microsoft.Compute/disks/read'] }]
    expect((await call('PUT', '/roles', { principal: 'visitor', assignments })).status).toBe(204)
    const visitor = computeClient(azure, 'visitor')
    await aDisk('visited')
    expect((await visitor.disks.get('control-rg', 'visited')).name).toBe('visited')
    expect(await refusalOf(visitor.disks.delete('control-rg', 'visited'))).toMatchObject({ status: 403 })
  })

  test('grants are listed and ended behind the back of their holder', async () => {
    const id = await aDisk('granted')
    const client = computeClient(azure)
    await client.disks.grantAccess('control-rg', 'granted', { access: 'Read', durationInSeconds: 60 })
    const listed = (await (await call('GET', '/access')).json()) as Array<{ id: string; access: string }>
    expect(listed).toContainEqual(expect.objectContaining({ id, access: 'Read' }))
    expect((await call('DELETE', `/access?id=${encodeURIComponent(id)}`)).status).toBe(204)
    expect((await client.disks.get('control-rg', 'granted')).diskState).toBe('Unattached')
  })

  test('requests are counted by operation', async () => {
    const before = azure.stats().compute['Disks_Get'] ?? 0
    await aDisk('counted')
    await computeClient(azure).disks.get('control-rg', 'counted')
    const stats = (await (await call('GET', '/stats')).json()) as { compute: Record<string, number> }
    expect(stats.compute['Disks_Get']).toBe(before + 1)
  })

  test('an account, a container and a group are made', async () => {
    const made = await call('PUT', '/accounts', { name: 'madehere' })
    expect(await made.json()).toMatchObject({ id: expect.stringContaining('/storageAccounts/madehere') })
    for (const _time of [1, 2]) expect((await call('PUT', '/containers?account=madehere&name=points')).status).toBe(204)
    const container = new ContainerClient(`${azure.blobEndpoint}/madehere/points`, credentialOf(azure))
    expect(await container.exists()).toBe(true)
    expect((await call('PUT', '/containers?account=madehere&name=No')).status).toBe(400)
    expect((await call('PUT', '/containers?account=unheardof&name=points')).status).toBe(404)
    expect((await call('PUT', '/accounts', { name: 'Not-A-Name' })).status).toBe(400)
    expect((await call('PUT', '/resource-groups', { name: 'made-rg', location: 'northeurope' })).status).toBe(204)
    const names: Array<string | undefined> = []
    for await (const disk of computeClient(azure).disks.listByResourceGroup('made-rg')) names.push(disk.name)
    expect(names).toEqual([])
  })

  test('an unknown path is 404', async () => {
    expect((await call('GET', '/nothing')).status).toBe(404)
  })
})

test('a hook before an operation may take its place', async () => {
  const throttled = await startForTests({
    beforeOperation: async (armCall) =>
      armCall.operation === 'Disks_List'
        ? { status: 429, headers: { 'Retry-After': '7' }, body: { code: 'OperationNotAllowed', message: 'slower' } }
        : undefined,
  })
  try {
    const refusal = await refusalOf(computeClient(throttled).disks.list().next())
    expect(refusal.status).toBe(429)
  } finally {
    await throttled.close()
  }
})

test('closing twice is fine, and frees the ports', async () => {
  const first = await startForTests()
  const port = Number(new URL(first.controlEndpoint).port)
  await Promise.all([first.close(), first.close()])
  const second = await startForTests({ ports: { control: port } })
  expect(second.controlEndpoint).toBe(first.controlEndpoint)
  await second.close()
})

test('a port that is taken fails the start', async () => {
  const port = Number(new URL(azure.controlEndpoint).port)
  await expect(startForTests({ ports: { control: port } })).rejects.toThrow('EADDRINUSE')
})

test('a garbled request is answered and harms nothing', async () => {
  for (const [endpoint, path] of [
    [azure.controlEndpoint, '//'],
    [azure.controlEndpoint, '/content?id=%zz'],
    [azure.identityEndpoint, '?%zz'],
    [azure.resourceManagerEndpoint, '//%zz//'],
    [azure.resourceManagerEndpoint, '/subscriptions/%zz?api-version=2025-01-02'],
  ] as const) {
    const { status } = await fetch(`${endpoint}${path}`)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
  }
})
