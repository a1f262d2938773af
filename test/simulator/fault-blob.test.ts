import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { FaultPlan } from '../../simulator/faults/fault-plan.ts'
import type { Publication } from '../../simulator/blob-service/published-blob.ts'
import { page, startBlobFixture, type BlobFixture } from './blob-fixture.ts'

/** Each effect of a fault as a client of the blob service meets it. */

const plan = new FaultPlan()
let fixture: BlobFixture
let blob = ''
let blobs = 0

beforeAll(async () => {
  fixture = await startBlobFixture({ faults: plan })
  await fixture.call('PUT', 'disks?restype=container')
})
afterAll(() => fixture.close())
beforeEach(async () => {
  plan.clear()
  blob = `disks/blob${(blobs += 1)}`
  await fixture.call('PUT', blob, { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': '8192' })
})

const write = (startBytes: number, data: Buffer, headers: Record<string, string> = {}) =>
  fixture.call(
    'PUT',
    `${blob}?comp=page`,
    { 'x-ms-page-write': 'update', 'x-ms-range': `bytes=${startBytes}-${startBytes + data.length - 1}`, ...headers },
    data,
  )
const content = async () => (await fixture.call('GET', blob)).body
/** Until a late execution has been reported. */
async function lateOutcome(): Promise<string> {
  for (;;) {
    const outcome = plan.fired()[0]?.outcome
    if (outcome !== undefined) return outcome
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('a status takes the place of the operation, with its code and Retry-After', async () => {
  plan.add({ operation: 'PutPage', nth: 1, effect: { kind: 'status', status: 503, retryAfterSeconds: 7 } })
  plan.add({
    operation: 'PutPage',
    nth: 2,
    effect: { kind: 'status', status: 500, code: 'OperationTimedOut', message: 'Too slow.' },
  })
  const busy = await write(0, page(1))
  expect(busy).toMatchObject({ status: 503, code: 'ServerBusy' })
  expect(busy.headers['retry-after']).toBe('7')
  const slow = await write(0, page(1))
  expect(slow).toMatchObject({ status: 500, code: 'OperationTimedOut' })
  expect(slow.headers['retry-after']).toBeUndefined()
  expect(slow.body.toString()).toContain('Too slow.')
  expect((await content()).equals(Buffer.alloc(8192))).toBe(true)
  expect(plan.fired().map(({ kind, operation }) => [kind, operation])).toEqual([
    ['status', 'PutPage'],
    ['status', 'PutPage'],
  ])
})

test('a reset before the operation leaves nothing done, one after it leaves it done', async () => {
  plan.add({ operation: 'PutPage', nth: 1, effect: { kind: 'reset', when: 'before' } })
  plan.add({ operation: 'PutPage', nth: 2, effect: { kind: 'reset', when: 'after' } })
  await expect(write(0, page(1))).rejects.toThrow()
  expect((await content()).equals(Buffer.alloc(8192))).toBe(true)
  await expect(write(0, page(2))).rejects.toThrow()
  expect((await content()).subarray(0, 512).equals(page(2))).toBe(true)
})

test('a body that is cut has the headers of the whole one', async () => {
  await write(0, page(3, 16))
  plan.add({ operation: 'GetBlob', times: 1, effect: { kind: 'cutBody', afterBytes: 1000 } })
  const answer = await fetch(`${fixture.baseUrl}/backups/${blob}${fixture.sas}`)
  expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '8192'])
  await expect(answer.arrayBuffer()).rejects.toThrow()
  expect((await content()).equals(page(3, 16))).toBe(true)
})

test('a delay after the operation holds back nothing but the answer', async () => {
  plan.add({ operation: 'PutPage', nth: 1, effect: { kind: 'delay', when: 'after', delayMs: 100 } })
  const delayed = write(0, page(4))
  while (plan.fired().length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  while (!(await content()).subarray(0, 512).equals(page(4))) await new Promise((resolve) => setTimeout(resolve, 1))
  expect((await delayed).status).toBe(201)
})

describe('a late write', () => {
  test('lands over what was written meanwhile', async () => {
    plan.add({ operation: 'PutPage', nth: 1, effect: { kind: 'lateWrite', delayMs: 1000 } })
    expect((await write(0, page(1))).status).toBe(201)
    expect((await write(0, page(2))).status).toBe(201)
    expect(await lateOutcome()).toBe('201')
    expect((await content()).subarray(0, 512).equals(page(1))).toBe(true)
  })

  test('whose connection was lost has done nothing before, and lands all the same', async () => {
    plan.add({ operation: 'PutPage', nth: 1, effect: { kind: 'lateWrite', delayMs: 1000, original: 'lost' } })
    await expect(write(0, page(1))).rejects.toThrow()
    expect((await content()).equals(Buffer.alloc(8192))).toBe(true)
    expect(await lateOutcome()).toBe('201')
    expect((await content()).subarray(0, 512).equals(page(1))).toBe(true)
  })

  test('is refused when its sequence number has been passed by', async () => {
    plan.add({ operation: 'PutPage', nth: 1, effect: { kind: 'lateWrite', delayMs: 1000 } })
    expect((await write(0, page(1), { 'x-ms-if-sequence-number-eq': '0' })).status).toBe(201)
    await fixture.call('PUT', `${blob}?comp=properties`, { 'x-ms-sequence-number-action': 'increment' })
    await write(0, page(2))
    expect(await lateOutcome()).toBe('412 SequenceNumberConditionNotMet')
    expect((await content()).subarray(0, 512).equals(page(2))).toBe(true)
  })

  test('of a server-side copy reads its source again', async () => {
    const target = blob
    await write(0, page(1))
    const source = `${fixture.baseUrl}/backups/${blob}${fixture.sas}`
    blob = `${target}-copy`
    await fixture.call('PUT', blob, { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': '8192' })
    plan.add({ operation: 'PutPageFromUrl', effect: { kind: 'lateWrite', delayMs: 1000 } })
    const range = { 'x-ms-range': 'bytes=0-511', 'x-ms-source-range': 'bytes=0-511' }
    const copied = await fixture.call('PUT', `${blob}?comp=page`, {
      ...range,
      'x-ms-page-write': 'update',
      'x-ms-copy-source': source,
    })
    expect(copied.status).toBe(201)
    expect(await lateOutcome()).toBe('201')
  })
})

test('a flipped byte is stored by a write, and sent by a read, and no status tells', async () => {
  plan.add({ operation: 'PutPage', times: 1, effect: { kind: 'flipByte', atBytes: 5 } })
  expect((await write(512, page(1))).status).toBe(201)
  const stored = await content()
  expect(stored[512 + 5]).toBe(0xff ^ 1)
  expect(stored[512 + 4]).toBe(1)
  plan.add({ operation: 'GetBlob', times: 1, effect: { kind: 'flipByte', atBytes: 512 } })
  expect((await content())[512]).toBe(0xff ^ 1)
  expect((await content())[512]).toBe(1)
})

test('a token that is refused is 401', async () => {
  plan.add({ operation: 'GetBlobProperties', effect: { kind: 'refuseToken' } })
  expect((await fixture.call('HEAD', blob)).status).toBe(401)
})

describe('access that ends in mid-run', () => {
  const publish = async (): Promise<Publication> => {
    const volume = fixture.store.createVolume(2 ** 20)
    await volume.write(0, page(9))
    const common = { uniqueId: 'u', createdAt: new Date(), needsBearer: false, isPrivate: false, familyId: 'f' }
    const disk = { ...common, kind: 'export' as const, content: volume.freeze(), footer: page(0) }
    return fixture.service.publisher.publish(disk, 3600)
  }
  const copyFrom = (sasUrl: string) =>
    fixture.call('PUT', `${blob}?comp=page`, {
      'x-ms-page-write': 'update',
      'x-ms-range': 'bytes=0-511',
      'x-ms-source-range': 'bytes=0-511',
      'x-ms-copy-source': sasUrl,
    })

  test('is that of the source of a copy, for good, and its owner learns of it', async () => {
    const publication = await publish()
    plan.add({ operation: 'PutPageFromUrl', nth: 2, effect: { kind: 'expireAccess' } })
    expect((await copyFrom(publication.sasUrl)).status).toBe(201)
    for (let again = 0; again < 2; again += 1) {
      const refused = await copyFrom(publication.sasUrl)
      expect(refused).toMatchObject({ status: 403, code: 'CannotVerifyCopySource' })
      expect(refused.headers['x-ms-copy-source-error-code']).toBe('AuthenticationFailed')
    }
    expect(publication.expiresAt.getTime()).toBeLessThanOrEqual(Date.now())
    expect((await write(0, page(1))).status).toBe(201)
  })

  test('is that of the request where it names no source', async () => {
    const publication = await publish()
    const { pathname, search } = new URL(publication.sasUrl)
    plan.add({ resource: '/md-*', effect: { kind: 'expireAccess' } })
    expect((await fixture.send('GET', pathname + search)).code).toBe('AuthenticationFailed')
  })
})
