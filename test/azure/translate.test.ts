import { describe, expect, test } from '@jest/globals'
import { getDisk } from '../../azure/disks.ts'
import { readSource, sizeOfSource } from '../../azure/source-blob.ts'
import { translate } from '../../azure/translate.ts'
import { readManifest } from '../../azure/manifests.ts'
import { clientsFor, failureOf } from './support/clients.ts'
import { armError, playScript, storageError, type Answer } from './support/scripted-server.ts'

const DISK = '/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Compute/disks/data-1'
const PAGE = { startBytes: 0, endBytes: 512 }

/** What reading a disk ends with when the resource manager answers so. */
async function diskFailure(script: readonly Answer[]) {
  const server = await playScript(script, { tls: true })
  try {
    return { failure: await failureOf(getDisk(clientsFor(server.origin), DISK)), requests: server.requests.length }
  } finally {
    await server.close()
  }
}

/** What reading an export ends with when the storage service answers so. */
async function exportFailure(script: readonly Answer[]) {
  const server = await playScript(script)
  try {
    return {
      failure: await failureOf(readSource(clientsFor(), `${server.origin}/a/c/b?sig=secret`, PAGE)),
      requests: server.requests.length,
    }
  } finally {
    await server.close()
  }
}

/** What reading a manifest ends with when the storage service answers so. */
async function manifestFailure(script: readonly Answer[]) {
  const server = await playScript(script, { tls: true })
  try {
    const read = readManifest(clientsFor(), `${server.origin}/acct/backups`, 'disks/d/c/points/p.json')
    return { failure: await failureOf(read), requests: server.requests.length }
  } finally {
    await server.close()
  }
}

test.each([
  ['Conflict', 'The request failed due to conflict with a concurrent request.'],
  ['ConflictingConcurrentWriteNotAllowed', 'Unable to write.'],
  ['OperationNotAllowed', 'Resource data-1 is being used by another operation.'],
])('a 409 (%s: %s) that another request caused passes', async (code, message) => {
  const { failure } = await diskFailure([armError(409, code, message)])
  expect(failure).toMatchObject({ type: 'AzureUnavailable', retry: 'later' })
})

test('an error whose body the SDK cannot read is told by its header', async () => {
  const server = await playScript([{ ...storageError(409, 'CopySourceCannotBeIncrementalCopyBlob'), headers: { 'x-ms-error-code': 'CopySourceCannotBeIncrementalCopyBlob' } }])
  const blob = clientsFor().sasBlob(`${server.origin}/acct/disk/abcd?sig=secret`, 'sas')
  const error: unknown = await blob.uploadPagesFromURL(`${server.origin}/source`, 0, 0, 512).catch((cause: unknown) => cause)
  await server.close()
  expect(translate(error, { doing: 'copy to', on: 'a blob', action: 'write' })).toMatchObject({ facts: { code: 'CopySourceCannotBeIncrementalCopyBlob', status: 409 } })
})

test('a 409 for what a disk is stays', async () => {
  const { failure } = await diskFailure([armError(409, 'OperationNotAllowed', 'Disk data-1 is attached to a running VM.')])
  expect(failure).toMatchObject({ type: 'AzureRefused', retry: 'never' })
})

describe('a token of the wrong tenant is told of by the tenant that is asked for', () => {
  const TENANT = '11111111-2222-4333-8444-555555555555'
  const challenged = (answer: Answer, challenge: string): Answer => ({ ...answer, headers: { ...answer.headers, 'www-authenticate': challenge } })

  test('by the storage service', async () => {
    const challenge = `Bearer authorization_uri=https://login.microsoftonline.com/${TENANT}/oauth2/authorize resource_id=https://storage.azure.com`
    const answer = challenged(storageError(401, 'InvalidAuthenticationInfo'), challenge)
    const { failure } = await manifestFailure([answer, answer, answer])
    expect(failure).toMatchObject({ type: 'NotSignedIn', message: expect.stringContaining(`az login --tenant ${TENANT}`) })
  })

  test('by the resource manager', async () => {
    const challenge = `Bearer authorization_uri="https://login.windows.net/${TENANT}", error="invalid_token", error_description="wrong issuer"`
    const answer = challenged(armError(401, 'InvalidAuthenticationTokenTenant', 'The access token is from the wrong issuer.'), challenge)
    const { failure } = await diskFailure([answer, answer, answer])
    expect(failure).toMatchObject({ type: 'NotSignedIn', message: expect.stringContaining(`az login --tenant ${TENANT}`) })
  })
})

describe('errors of the resource manager', () => {
  test.each(['ResourceNotFound', 'ResourceGroupNotFound', 'SubscriptionNotFound'])(
    '%s means that the disk is not there',
    async (code) => {
      const { failure } = await diskFailure([armError(404, code)])
      expect(failure).toMatchObject({ type: 'SourceDiskNotFound', facts: { status: 404, code } })
      expect(failure.message).toContain(DISK)
    },
  )

  test('a missing right is named by action and scope', async () => {
    const message =
      "The client 'c' with object id 'o' does not have authorization to perform action 'Microsoft.Compute/disks/read' " +
      "over scope '/subscriptions/s-1/resourceGroups/rg' or the scope is invalid."
    const { failure } = await diskFailure([armError(403, 'AuthorizationFailed', message)])
    expect(failure.type).toBe('AccessDenied')
    expect(failure.message).toContain(
      'lacks the right Microsoft.Compute/disks/read on /subscriptions/s-1/resourceGroups/rg',
    )
  })

  test('a missing right on a resource that the call refers to is named, not the right that is there', async () => {
    const message =
      "The client 'c' with object id 'o' has permission to perform action 'Microsoft.Compute/snapshots/write' on scope '/a'; however, " +
      "it does not have permission to perform action(s) 'Microsoft.Compute/disks/beginGetAccess/action' on the linked scope(s) '/b' " +
      '(respectively) or the linked scope(s) are invalid.'
    const { failure } = await diskFailure([armError(403, 'LinkedAuthorizationFailed', message)])
    expect(failure.message).toContain('lacks the right Microsoft.Compute/disks/beginGetAccess/action on /b')
  })

  test('a refusal by policy is quoted and not taken for a missing right', async () => {
    const { failure } = await diskFailure([
      armError(403, 'RequestDisallowedByPolicy', "Resource 'x' was disallowed by policy."),
    ])
    expect(failure).toMatchObject({ type: 'AccessDenied', message: expect.stringContaining('disallowed by policy') })
    expect(failure.message).not.toContain('lacks the right')
  })

  test('a token that is not accepted means not signed in', async () => {
    const { failure } = await diskFailure([armError(401, 'InvalidAuthenticationToken', 'The access token is invalid.')])
    expect(failure.type).toBe('NotSignedIn')
  })

  test('a long Retry-After goes up at once and is not slept through', async () => {
    const { failure, requests } = await diskFailure([
      armError(429, 'TooManyRequests', 'Slow down.', { 'retry-after': '1200' }),
    ])
    expect(failure).toMatchObject({
      type: 'AzureThrottled',
      retryAfterMs: 1_200_000,
      facts: { code: 'TooManyRequests' },
    })
    expect(failure.message).toContain(DISK)
    expect(requests).toBe(1)
  })

  test('the throttled answer of the compute service without an error wrapper is understood', async () => {
    const body = JSON.stringify({
      code: 'OperationNotAllowed',
      message: 'The server rejected the request because too many requests have been received for this subscription.',
      details: [{ code: 'TooManyRequests', target: 'HighCostGet', message: '{"allowedRequestCount":1}' }],
    })
    const headers = { 'retry-after': '1200', 'content-type': 'application/json' }
    const { failure } = await diskFailure([{ status: 429, headers, body }])
    expect(failure).toMatchObject({ type: 'AzureThrottled', retryAfterMs: 1_200_000 })
    expect(failure.message).toContain('too many requests have been received')
  })

  test('a short Retry-After is obeyed by waiting', async () => {
    const startedAt = Date.now()
    const { failure, requests } = await diskFailure([
      armError(429, 'TooManyRequests', 'Slow down.', { 'retry-after': '1' }),
      armError(404, 'ResourceNotFound'),
    ])
    expect(failure.type).toBe('SourceDiskNotFound')
    expect(requests).toBe(2)
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(950)
  })

  test('what is not known is quoted, first line only', async () => {
    const { failure } = await diskFailure([
      armError(400, 'NoRegisteredProviderFound', 'No provider.\nThe supported ones are many.'),
    ])
    expect(failure.type).toBe('AzureRefused')
    expect(failure.message).toContain('NoRegisteredProviderFound: No provider')
    expect(failure.message).not.toContain('many')
  })
})

describe('errors of the storage service', () => {
  test('a missing data right is named', async () => {
    const { failure } = await manifestFailure([storageError(403, 'AuthorizationPermissionMismatch')])
    expect(failure.type).toBe('AccessDenied')
    expect(failure.message).toContain('Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read')
  })

  test('a firewall is told apart from a missing right', async () => {
    const { failure } = await manifestFailure([storageError(403, 'AuthorizationFailure')])
    expect(failure.type).toBe('AccessDenied')
    expect(failure.message).toContain('firewall')
  })

  test('a missing container is not taken for a missing blob', async () => {
    expect((await manifestFailure([storageError(404, 'ContainerNotFound')])).failure.type).toBe('TargetNotFound')
    expect((await manifestFailure([storageError(404, 'BlobNotFound')])).failure.type).toBe('PointNotFound')
  })

  test('Retry-After of a busy server is obeyed', async () => {
    const startedAt = Date.now()
    const { failure, requests } = await exportFailure([
      storageError(503, 'ServerBusy', 'Busy.', { 'retry-after': '1' }),
      storageError(403, 'AuthenticationFailed'),
    ])
    expect(failure.type).toBe('ExportAccessLost')
    expect(requests).toBe(2)
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(950)
  })

  test('a Retry-After beyond half a minute goes up with its length', async () => {
    const { failure, requests } = await exportFailure([
      storageError(503, 'ServerBusy', 'Busy.', { 'retry-after': '60' }),
    ])
    expect(failure).toMatchObject({ type: 'AzureThrottled', retryAfterMs: 60_000 })
    expect(requests).toBe(1)
  })

  test('a lost connection is retried and then unavailable', async () => {
    const { failure, requests } = await exportFailure([{ cut: 'before' }])
    expect(failure.type).toBe('AzureUnavailable')
    expect(requests).toBe(4)
  })

  test('an export that ends early is read again, never returned short', async () => {
    const headers = { etag: '"1"' }
    const server = await playScript([
      { status: 206, headers, body: Buffer.alloc(512, 1), cut: 'middle' },
      { status: 206, headers, body: Buffer.alloc(100, 2) },
      { status: 206, headers, body: Buffer.alloc(512, 3) },
    ])
    try {
      expect(await readSource(clientsFor(), `${server.origin}/a/c/b?sig=1`, PAGE)).toEqual(Buffer.alloc(512, 3))
      expect(server.requests).toHaveLength(3)
    } finally {
      await server.close()
    }
  })

  test('a HEAD without a body is understood by its headers', async () => {
    const server = await playScript([{ status: 403, headers: { 'x-ms-error-code': 'AuthenticationFailed' } }])
    try {
      const failure = await failureOf(sizeOfSource(clientsFor(), `${server.origin}/a/c/b?sig=1`))
      expect(failure).toMatchObject({ type: 'ExportAccessLost', facts: { code: 'AuthenticationFailed' } })
    } finally {
      await server.close()
    }
  })

  test('no failure holds a SAS, a request or a token', async () => {
    const { failure } = await exportFailure([
      storageError(409, 'Odd', 'See https://md-1.blob.storage.azure.net/a?sig=secret here'),
    ])
    const cause = failure.cause as Error
    const everything = JSON.stringify([
      failure.message,
      failure.facts,
      failure.stack,
      cause.message,
      cause.stack,
      Object.entries(cause),
    ])
    expect(everything).not.toMatch(/sig=|secret/)
  })
})

describe('what is not an answer of Azure', () => {
  test('a mistake of ours passes unchanged', () => {
    const mistake = new TypeError('x is not a function')
    expect(translate(mistake, { doing: 'read', on: 'x' })).toBe(mistake)
  })

  test('a cancellation passes unchanged', () => {
    const abort = new DOMException('aborted', 'AbortError')
    expect(translate(abort, { doing: 'read', on: 'x' })).toBe(abort)
  })

  test('a credential that is not there means not signed in, with advice', () => {
    const error = new Error('CredentialUnavailableError: EnvironmentCredential is unavailable.\nmore')
    error.name = 'CredentialUnavailableError'
    expect(translate(error, { doing: 'read', on: 'disk d' })).toMatchObject({
      type: 'NotSignedIn',
      message: expect.stringContaining('az login'),
    })
  })

  test('an operation that failed after it was accepted is a refusal with its code', () => {
    const error = new Error(
      'The long-running operation has failed. ConflictingUserInput. Disk is expected to have cookie.',
    )
    expect(translate(error, { doing: 'finish', on: 'disk d' })).toMatchObject({
      type: 'AzureRefused',
      facts: { code: 'ConflictingUserInput' },
      message: 'could not finish disk d: ConflictingUserInput: Disk is expected to have cookie',
    })
  })
})
