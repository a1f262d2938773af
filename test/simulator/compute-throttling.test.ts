import { afterEach, expect, test } from '@jest/globals'
import type { LocalAzure } from '../../simulator/azure.ts'
import { callResourceManager, startForTests } from './local-azure-support.ts'

const VERSION = 'api-version=2025-01-02'
const THROTTLED = { enforceThrottling: true, readBucket: 3, readsPerSecond: 1, writeBucket: 3, deleteBucket: 1 }

let azure: LocalAzure
let now = new Date('2026-11-22T12:00:00Z')
afterEach(() => azure.close())

async function start(settings: Parameters<LocalAzure['changeSettings']>[0]): Promise<void> {
  azure = await startForTests({ clock: () => now, settings })
  azure.createResourceGroup({ name: 'rg' })
}
const disks = (): string => `/subscriptions/${azure.subscriptionId}/providers/Microsoft.Compute/disks?${VERSION}`
const snapshot = (name: string): string =>
  `/subscriptions/${azure.subscriptionId}/resourceGroups/rg/providers/Microsoft.Compute/snapshots/${name}?${VERSION}`
const later = (ms: number): void => void (now = new Date(now.getTime() + ms))

test('reads beyond the bucket are 429 in the shape of the resource manager, until the bucket fills', async () => {
  await start(THROTTLED)
  const remaining: Array<string | null> = []
  for (let request = 0; request < 3; request++) {
    const { headers } = await callResourceManager(azure, 'GET', disks())
    remaining.push(headers.get('x-ms-ratelimit-remaining-subscription-reads'))
  }
  expect(remaining).toEqual(['2', '1', '0'])
  const refused = await callResourceManager(azure, 'GET', disks())
  expect(refused.status).toBe(429)
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(refused.headers.get('x-ms-ratelimit-remaining-subscription-reads')).toBe('0')
  const body = (await refused.json()) as { error: { code: string; message: string } }
  expect(body.error.code).toBe('SubscriptionRequestsThrottled')
  expect(body.error.message).toContain("'read' requests")

  later(1000)
  expect((await callResourceManager(azure, 'GET', disks())).status).toBe(200)
  expect((await callResourceManager(azure, 'GET', disks())).status).toBe(429)
})

test('principals and kinds of requests have buckets of their own; a subscription has 15 times as much', async () => {
  await start({ ...THROTTLED, readBucket: 1 })
  expect((await callResourceManager(azure, 'GET', disks())).status).toBe(200)
  expect((await callResourceManager(azure, 'GET', disks())).status).toBe(429)
  expect((await callResourceManager(azure, 'DELETE', snapshot('none'))).status).toBe(204)
  expect((await callResourceManager(azure, 'DELETE', snapshot('none'))).status).toBe(429)

  const statuses: number[] = []
  for (let principal = 0; principal < 15; principal++) {
    azure.assignRoles(`reader-${principal}`, [{ actions: ['*/read'] }])
    const { status } = await callResourceManager(azure, 'GET', disks(), undefined, `reader-${principal}`)
    statuses.push(status)
  }
  expect(statuses).toEqual([...Array.from({ length: 14 }, () => 200), 429])
})

test('snapshots beyond the bucket are 429 in the shape of the disk provider, without an error around it', async () => {
  await start({ enforceThrottling: true, snapshotPutsPer3Minutes: 2, snapshotPutsPer30Minutes: 20 })
  const { id } = azure.createDisk({ name: 'disk', resourceGroup: 'rg', sizeGib: 1 })
  const put = (name: string, location = 'westeurope'): Promise<Response> =>
    callResourceManager(azure, 'PUT', snapshot(name), {
      location,
      properties: { incremental: true, creationData: { createOption: 'Copy', sourceResourceId: id } },
    })
  const first = await put('one')
  expect(first.headers.get('x-ms-ratelimit-remaining-resource')).toBe(
    'Microsoft.Compute/HighCostSnapshotCreateHydrate3Min;1,Microsoft.Compute/HighCostSnapshotCreateHydrate30Min;19',
  )
  expect((await put('two')).status).toBe(202)
  const refused = await put('three')
  expect(refused.status).toBe(429)
  expect(refused.headers.get('retry-after')).toBe('90')
  expect(refused.headers.get('x-ms-ratelimit-remaining-resource')).toBe(
    'Microsoft.Compute/HighCostSnapshotCreateHydrate3Min;0',
  )
  const body = (await refused.json()) as { code: string; details: Array<{ code: string; message: string }> }
  expect(body).toMatchObject({
    code: 'OperationNotAllowed',
    details: [{ code: 'TooManyRequests', target: 'HighCostSnapshotCreateHydrate3Min' }],
  })
  expect(JSON.parse(body.details[0]?.message ?? '')).toMatchObject({ allowedRequestCount: 2 })
  // The bucket is that of a region: this request gets as far as the rule about regions.
  expect((await put('three', 'northeurope')).status).toBe(400)
  later(90_000)
  expect((await put('three')).status).toBe(202)
})

test('nothing is throttled when the limits are switched off', async () => {
  await start({ ...THROTTLED, enforceThrottling: false, readBucket: 1 })
  for (let request = 0; request < 3; request++) {
    expect((await callResourceManager(azure, 'GET', disks())).status).toBe(200)
  }
})
