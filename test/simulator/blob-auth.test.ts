import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import {
  BlobSASPermissions,
  ContainerSASPermissions,
  SASProtocol,
  generateBlobSASQueryParameters,
  type BlobSASSignatureValues,
  type UserDelegationKey,
} from '@azure/storage-blob'
import { XMLParser } from 'fast-xml-parser'
import { createVolumeStore } from '../../simulator/store/volume-store.ts'
import { createAuthority, issueServerCertificate } from '../../simulator/tls/certificates.ts'
import { ACCOUNT, accountSas, page, startBlobFixture, type BlobFixture } from './blob-fixture.ts'

let azure: BlobFixture
let denied: string[] = []
const principalId = '8d9f0c66-2c4f-4a0e-9b0c-2f9a57c1a001'

beforeAll(async () => {
  const { certificatePem, privateKeyPem } = await issueServerCertificate(await createAuthority(), {
    dns: ['localhost'],
    ip: ['127.0.0.1'],
  })
  azure = await startBlobFixture({
    tls: { cert: certificatePem, key: privateKeyPem },
    verifyBearer: (token, audience) =>
      token === `token for ${audience}`.replaceAll(' ', '-') ? { principalId } : undefined,
    authorize: (_, action, scope) => !denied.some((each) => `${action} ${scope}`.includes(each)),
  })
  await azure.call('PUT', 'vault?restype=container')
  await azure.call('PUT', 'vault/disk', { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': '1024' })
  await azure.call('PUT', 'vault/other', { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': '1024' })
})
afterAll(() => azure.close())
beforeEach(() => {
  denied = []
})

const STORAGE = { authorization: 'Bearer token-for-https://storage.azure.com' }
const DISK = { authorization: 'Bearer token-for-https://disk.azure.com' }
const inAnHour = () => new Date(Date.now() + 3_600_000)
const serviceSas = (values: Partial<BlobSASSignatureValues> & { permissions: BlobSASSignatureValues['permissions'] }) =>
  generateBlobSASQueryParameters(
    { containerName: 'vault', expiresOn: inAnHour(), ...values } as BlobSASSignatureValues,
    azure.credential,
  ).toString()
const read = BlobSASPermissions.parse('r')
const get = async (path: string, query: string, headers: Record<string, string> = {}) => {
  const answer = await azure.send('GET', `/${ACCOUNT}/${path}${query === '' ? '' : `?${query}`}`, headers)
  return [answer.status, answer.code]
}

test('a request without proof is 401 and told where to get a token', async () => {
  const answer = await azure.send('GET', `/${ACCOUNT}/vault/disk`)
  expect([answer.status, answer.code]).toEqual([401, 'NoAuthenticationInformation'])
  expect(answer.headers['www-authenticate']).toContain('resource_id=https://storage.azure.com')
})

describe('an account SAS', () => {
  test('is bound to its signature, its time and its permissions', async () => {
    expect(await get('vault/disk', azure.sas.slice(1).replace('sp=rwdlacup', 'sp=rwdlacu'))).toEqual([
      403,
      'AuthenticationFailed',
    ])
    expect(await get('vault/disk', accountSas(azure.credential, 'r', -1000).slice(1))).toEqual([
      403,
      'AuthenticationFailed',
    ])
    expect(await get('vault/disk', accountSas(azure.credential, 'l').slice(1))).toEqual([
      403,
      'AuthorizationPermissionMismatch',
    ])
    expect(await get('vault/disk', accountSas(azure.credential, 'r').slice(1))).toEqual([200, undefined])
  })
})

describe('a service SAS', () => {
  test('of a blob reaches that blob alone', async () => {
    const sas = serviceSas({ blobName: 'disk', permissions: read })
    expect(await get('vault/disk', sas)).toEqual([200, undefined])
    expect(await get('vault/other', sas)).toEqual([403, 'AuthenticationFailed'])
  })

  test('of a snapshot reaches that snapshot alone', async () => {
    const taken = await azure.call('PUT', 'vault/disk?comp=snapshot')
    const snapshotTime = taken.headers['x-ms-snapshot']!
    const sas = serviceSas({ blobName: 'disk', snapshotTime, permissions: read })
    expect(await get('vault/disk', `snapshot=${snapshotTime}&${sas}`)).toEqual([200, undefined])
    expect(await get('vault/disk', sas)).toEqual([403, 'AuthenticationFailed'])
  })

  test('of a container lists and reads its blobs, and does not touch the container', async () => {
    const sas = serviceSas({ permissions: ContainerSASPermissions.parse('rl') })
    expect(await get('vault', `restype=container&comp=list&${sas}`)).toEqual([200, undefined])
    expect(await get('vault/other', sas)).toEqual([200, undefined])
    expect(await get('vault', `restype=container&${sas}`)).toEqual([403, 'AuthorizationResourceTypeMismatch'])
  })

  test('that may only create does not overwrite', async () => {
    const sas = serviceSas({ blobName: 'disk', permissions: BlobSASPermissions.parse('c') })
    const headers = { 'x-ms-blob-type': 'PageBlob', 'x-ms-blob-content-length': '512' }
    const answer = await azure.send('PUT', `/${ACCOUNT}/vault/disk?${sas}`, headers)
    expect([answer.status, answer.code]).toEqual([403, 'UnauthorizedBlobOverwrite'])
  })

  test.each(['2018-11-09', '2020-08-04', '2022-11-02', '2025-07-05'])(
    'is signed as version %s has it',
    async (version) => {
      expect(await get('vault/disk', serviceSas({ blobName: 'disk', permissions: read, version }))).toEqual([
        200,
        undefined,
      ])
    },
  )

  test('is bound to its start and its address', async () => {
    const early = serviceSas({
      blobName: 'disk',
      permissions: read,
      startsOn: inAnHour(),
      expiresOn: new Date(Date.now() + 7_200_000),
    })
    expect(await get('vault/disk', early)).toEqual([403, 'AuthenticationFailed'])
    const elsewhere = serviceSas({
      blobName: 'disk',
      permissions: read,
      ipRange: { start: '10.0.0.1', end: '10.0.0.9' },
    })
    expect(await get('vault/disk', elsewhere)).toEqual([403, 'AuthorizationSourceIPMismatch'])
    const here = serviceSas({ blobName: 'disk', permissions: read, ipRange: { start: '127.0.0.1' } })
    expect(await get('vault/disk', here)).toEqual([200, undefined])
  })
})

describe('a bearer token', () => {
  test('for storage opens what the roles of its principal allow', async () => {
    expect(await get('vault/disk', '', STORAGE)).toEqual([200, undefined])
    denied = ['blobs/read /storageAccounts/backups/blobServices/default/containers/vault']
    expect(await get('vault/disk', '', STORAGE)).toEqual([403, 'AuthorizationPermissionMismatch'])
  })

  test('for another audience or none at all is 401', async () => {
    expect(await get('vault/disk', '', DISK)).toEqual([401, 'InvalidAuthenticationInfo'])
    expect(await get('vault/disk', '', { authorization: 'Bearer x' })).toEqual([401, 'InvalidAuthenticationInfo'])
  })

  test('opens the source of a copy', async () => {
    const answer = await azure.call('PUT', 'vault/other?comp=page', {
      'x-ms-page-write': 'update',
      range: 'bytes=0-511',
      'x-ms-source-range': 'bytes=0-511',
      'x-ms-copy-source': `${azure.baseUrl}/${ACCOUNT}/vault/disk`,
      'x-ms-copy-source-authorization': STORAGE.authorization,
    })
    expect(answer.status).toBe(201)
  })

  test('copies within its account without rights on the source URL', async () => {
    const copy = { 'x-ms-copy-source': `${azure.baseUrl}/${ACCOUNT}/vault/disk` }
    const path = `/${ACCOUNT}/vault/copied`
    expect((await azure.send('PUT', path, { ...STORAGE, ...copy })).status).toBe(202)
    const bySas = await azure.call('PUT', 'vault/copied', copy)
    expect([bySas.status, bySas.code]).toEqual([401, 'CannotVerifyCopySource'])
    denied = ['blobs/read']
    expect((await azure.send('PUT', path, { ...STORAGE, ...copy })).code).toBe('CannotVerifyCopySource')
  })
})

describe('a user delegation SAS', () => {
  const delegationKey = async (): Promise<UserDelegationKey> => {
    const body = `<KeyInfo><Start>${new Date().toISOString()}</Start><Expiry>${inAnHour().toISOString()}</Expiry></KeyInfo>`
    const answer = await azure.send('POST', `/${ACCOUNT}/?restype=service&comp=userdelegationkey`, STORAGE, body)
    const { UserDelegationKey: key } = new XMLParser({ parseTagValue: false }).parse(answer.body.toString())
    return {
      signedObjectId: key.SignedOid,
      signedTenantId: key.SignedTid,
      signedStartsOn: new Date(key.SignedStart),
      signedExpiresOn: new Date(key.SignedExpiry),
      signedService: key.SignedService,
      signedVersion: key.SignedVersion,
      value: key.Value,
    }
  }

  test.each(['2018-11-09', '2020-02-10', '2022-11-02', '2025-07-05', '2026-04-06'])(
    'of version %s opens the blob while its signer has the role',
    async (version) => {
      const values = { containerName: 'vault', blobName: 'disk', permissions: read, expiresOn: inAnHour(), version }
      const sas = generateBlobSASQueryParameters(values, await delegationKey(), ACCOUNT).toString()
      expect(await get('vault/disk', sas)).toEqual([200, undefined])
      expect(await get('vault/disk', sas.replace(principalId, principalId.replace('8', '9')))).toEqual([
        403,
        'AuthenticationFailed',
      ])
      denied = ['blobs/read']
      expect(await get('vault/disk', sas)).toEqual([403, 'AuthorizationPermissionMismatch'])
    },
  )

  test('has a key of at most seven days, for bearers only', async () => {
    const body = `<KeyInfo><Start>2026-01-01T00:00:00Z</Start><Expiry>2026-01-08T00:00:01Z</Expiry></KeyInfo>`
    const path = 'restype=service&comp=userdelegationkey'
    expect((await azure.send('POST', `/${ACCOUNT}/?${path}`, STORAGE, body)).status).toBe(400)
    expect((await azure.call('POST', `?${path}`, {}, body)).status).toBe(403)
  })
})

describe('an Entra-protected export', () => {
  test('needs a token for disks beside its SAS, also as the source of a copy', async () => {
    const store = await createVolumeStore()
    const content = store.createVolume(1024).freeze()
    const { sasUrl } = azure.service.publisher.publish(
      {
        kind: 'export',
        content,
        footer: page(1),
        familyId: undefined,
        uniqueId: 'u',
        createdAt: new Date(),
        isPrivate: false,
        needsBearer: true,
      },
      60,
    )
    const path = sasUrl.slice(azure.baseUrl.length)
    const statuses = await Promise.all(
      [{}, STORAGE, DISK].map(async (headers) => (await azure.send('GET', path, headers)).status),
    )
    expect(statuses).toEqual([401, 401, 200])
    const copy = (authorization: Record<string, string>) =>
      azure.call('PUT', 'vault/other?comp=page', {
        'x-ms-page-write': 'update',
        range: 'bytes=0-511',
        'x-ms-source-range': 'bytes=0-511',
        'x-ms-copy-source': sasUrl,
        ...authorization,
      })
    expect((await copy({})).code).toBe('CannotVerifyCopySource')
    expect((await copy({ 'x-ms-copy-source-authorization': DISK.authorization })).status).toBe(201)
    await store.close()
  })
})

describe('without TLS', () => {
  test('neither a bearer token nor an https-only SAS is taken', async () => {
    const plain = await startBlobFixture({ verifyBearer: () => ({ principalId }) })
    await plain.call('PUT', 'vault?restype=container')
    const bearer = await plain.send('GET', `/${ACCOUNT}/vault?restype=container&comp=list`, STORAGE)
    expect([bearer.status, bearer.code]).toEqual([403, 'AuthenticationFailed'])
    const sas = serviceSas({ permissions: ContainerSASPermissions.parse('l'), protocol: SASProtocol.Https })
    const https = await plain.send('GET', `/${ACCOUNT}/vault?restype=container&comp=list&${sas}`)
    expect([https.status, https.code]).toEqual([403, 'AuthorizationProtocolMismatch'])
    await plain.close()
  })
})
