import { afterEach, describe, expect, test } from '@jest/globals'
import { grantAccess, revokeAccess } from '../../azure/access-grants.ts'
import { clientsFor, failureOf } from './support/clients.ts'
import { armError, playScript, type Answer, type ScriptedServer } from './support/scripted-server.ts'

const SNAPSHOT = '/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Compute/snapshots/s1'
const SAS =
  'https://md-1.z01.blob.storage.azure.net/c/abcd?snapshot=2026-11-22T10:15:00.1Z&sv=2018-11-09&sr=bs&si=A-b&sig=x%2By%3D'
const OPERATION =
  '/subscriptions/s-1/providers/Microsoft.Compute/locations/westeurope/DiskOperations/op-1?api-version=2025-01-02'

const READ = { access: 'Read', durationSeconds: 600 } as const

let server: ScriptedServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

async function serve(script: (request: string) => Answer) {
  server = await playScript(({ method, path }) => script(`${method} ${path}`), { tls: true })
  return clientsFor(server.origin)
}

function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

function accepted(...names: readonly string[]): Answer {
  return { status: 202, headers: Object.fromEntries(names.map((name) => [name, `${server!.origin}${OPERATION}`])) }
}

const DONE = { startTime: '2026-11-22T10:15:00Z', status: 'Succeeded', name: 'op-1' }

describe('grantAccess finds the SAS', () => {
  test.each([
    ['in the answer itself', () => json({ accessSAS: SAS }), {}],
    ['behind Location', () => accepted('location'), { accessSAS: SAS }],
    [
      'in the output of an operation that names no Location',
      () => accepted('azure-asyncoperation'),
      { ...DONE, properties: { output: { accessSAS: SAS } } },
    ],
    [
      'in another case',
      () => accepted('azure-asyncoperation'),
      { ...DONE, properties: { output: { accessSas: SAS } } },
    ],
  ])('%s', async (_, first, operation) => {
    const azure = await serve((request) => (request.startsWith('POST') ? first() : json(operation)))
    expect(await grantAccess(azure, SNAPSHOT, READ)).toBe(SAS)
    expect(JSON.parse(server!.requests[0]!.body.toString())).toEqual({ access: 'Read', durationInSeconds: 600 })
  })

  test('and asks again later where there is none', async () => {
    const azure = await serve(() => json({}))
    expect(await failureOf(grantAccess(azure, SNAPSHOT, READ))).toMatchObject({
      type: 'AzureUnavailable',
      retry: 'later',
    })
  })
})

describe('a refused grant', () => {
  test('is busy where nothing of the snapshot itself stands in the way', async () => {
    const azure = await serve((request) =>
      request.startsWith('POST')
        ? armError(409, 'Conflict', 'Too many.')
        : json({ properties: { diskState: 'Unattached' } }),
    )
    expect(await failureOf(grantAccess(azure, SNAPSHOT, READ))).toMatchObject({ type: 'SnapshotAccessBusy' })
  })

  test('that failed after it was accepted is told the same way', async () => {
    const failed = { ...DONE, status: 'Failed', error: { code: 'Conflict', message: 'Too many SAS.' } }
    const azure = await serve((request) => {
      if (request.startsWith('POST')) return accepted('location', 'azure-asyncoperation')
      return request.includes('DiskOperations') ? json(failed) : json({ properties: { diskState: 'Unattached' } })
    })
    expect(await failureOf(grantAccess(azure, SNAPSHOT, READ))).toMatchObject({ type: 'SnapshotAccessBusy' })
  })

  test('by a SAS of the snapshot itself says so, and leaves it alone', async () => {
    const azure = await serve((request) =>
      request.startsWith('POST')
        ? armError(409, 'Conflict', 'A SAS is out.')
        : json({ properties: { diskState: 'ActiveSAS' } }),
    )
    expect(await failureOf(grantAccess(azure, SNAPSHOT, READ))).toMatchObject({
      type: 'SnapshotAccessBusy',
      facts: { isHeld: true },
      message: expect.stringContaining('another worker has it, or a dead one left it'),
    })
    expect(server!.requests.some(({ path }) => path.includes('endGetAccess'))).toBe(false)
  })

  test('revokes what a dead worker left, where it is told to, and is tried once more', async () => {
    let left = true
    const azure = await serve((request) => {
      if (request.includes('endGetAccess')) {
        left = false
        return { status: 200 }
      }
      if (request.startsWith('GET')) return json({ properties: { diskState: 'ActiveSAS' } })
      return left ? armError(409, 'Conflict', 'A SAS is out.') : json({ accessSAS: SAS })
    })
    expect(await grantAccess(azure, SNAPSHOT, { ...READ, takesOver: true })).toBe(SAS)
  })

  test('never ends an upload that another worker began', async () => {
    const azure = await serve(() => armError(409, 'Conflict', 'A SAS is out.'))
    const failure = await failureOf(grantAccess(azure, SNAPSHOT.replace('snapshots', 'disks'), { ...READ, access: 'Write' }))
    expect(failure).toMatchObject({ type: 'SnapshotAccessBusy', retry: 'later' })
    expect(server!.requests.some(({ path }) => path.includes('endGetAccess'))).toBe(false)
  })

  const SECTORS = 'Accessing disk or snapshot with a logical sector size of 4096 requires specifying the file format.'

  test.each([
    ['at once', () => armError(400, 'BadRequest', SECTORS)],
    ['after it was accepted', () => accepted('location', 'azure-asyncoperation')],
  ])('for what the snapshot is, %s, is not waited for', async (_, first) => {
    const failed = { ...DONE, status: 'Failed', error: { code: 'BadRequest', message: SECTORS } }
    const azure = await serve((request) => (request.startsWith('POST') ? first() : json(failed)))
    // A name says nothing of the reason.
    const failure = await failureOf(grantAccess(azure, `${SNAPSHOT}-sas-limit`, READ))
    expect(failure).toMatchObject({ type: 'AzureRefused', retry: 'never', message: expect.stringContaining('requires specifying the file format') })
  })

  test('for want of a SAS is busy by a 400 as well', async () => {
    const azure = await serve((request) =>
      request.startsWith('POST')
        ? armError(400, 'OperationNotAllowed', 'The limit of active SAS was reached.')
        : json({ properties: { diskState: 'Unattached' } }),
    )
    expect(await failureOf(grantAccess(azure, SNAPSHOT, READ))).toMatchObject({ type: 'SnapshotAccessBusy' })
  })

  test('by the network policy of the snapshot is not waited for', async () => {
    const azure = await serve(() =>
      armError(409, 'OperationNotAllowed', "Access is denied by its network access policy 'DenyAll'."),
    )
    expect(await failureOf(grantAccess(azure, SNAPSHOT, READ))).toMatchObject({ type: 'AzureRefused' })
  })
})

describe('revokeAccess', () => {
  test.each([
    ['200', () => ({ status: 200 })],
    ['204', () => ({ status: 204 })],
    ['404', () => armError(404, 'ResourceNotFound')],
    ['an operation that ends with 204', () => accepted('location')],
  ])('is content with %s', async (_, first) => {
    const azure = await serve((request) => {
      if (request.startsWith('POST')) return first()
      return request.includes('DiskOperations') ? { status: 204 } : json({ properties: { diskState: 'ActiveSAS' } })
    })
    await revokeAccess(azure, SNAPSHOT)
  })

  test('is not content with a refusal while the SAS is out', async () => {
    const azure = await serve((request) =>
      request.startsWith('POST')
        ? armError(403, 'AuthorizationFailed')
        : json({ properties: { diskState: 'ActiveSAS' } }),
    )
    expect(await failureOf(revokeAccess(azure, SNAPSHOT))).toMatchObject({
      type: 'AccessDenied',
      message: expect.stringContaining('Microsoft.Compute/snapshots/endGetAccess/action'),
    })
  })

  test('a cancelled call ends between two polls', async () => {
    // Who waits for the next poll waits for longer than the test may.
    const azure = await serve(() => ({ ...accepted('location'), headers: { ...accepted('location').headers, 'retry-after': '3600' } }))
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 200)
    await expect(grantAccess(azure, SNAPSHOT, { ...READ, signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
  })
})
