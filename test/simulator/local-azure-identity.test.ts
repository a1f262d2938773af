import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ComputeManagementClient } from '@azure/arm-compute'
import { DefaultAzureCredential } from '@azure/identity'
import type { LocalAzure } from '../../simulator/azure.ts'
import { createPrincipalDirectory } from '../../simulator/identity/principals.ts'
import { createTokenIssuer } from '../../simulator/identity/tokens.ts'
import { startForTests } from './local-azure-support.ts'

describe('tokens', () => {
  let now = new Date('2026-11-22T12:00:00Z')
  const directory = createPrincipalDirectory()
  const tokens = createTokenIssuer({ tenantId: directory.tenantId, clock: () => now })
  const principal = directory.ensure('someone')

  test('speak for the principal they were issued to', () => {
    const { token } = tokens.issue(principal, 'https://management.azure.com/')
    expect(tokens.verifyBearer(token, 'https://management.azure.com')).toEqual({
      principalId: principal.principalId,
      clientId: principal.clientId,
    })
  })

  test('are of one audience, however many slashes it ends with', () => {
    const { token } = tokens.issue(principal, 'https://disk.azure.com//')
    expect(tokens.verifyBearer(token, 'https://disk.azure.com')).toBeDefined()
    expect(tokens.verifyBearer(token, 'https://disk.azure.com/')).toBeDefined()
    expect(tokens.verifyBearer(token, 'https://storage.azure.com')).toBeUndefined()
  })

  test('run out', () => {
    const { token, expiresAt } = tokens.issue(principal, 'https://storage.azure.com')
    now = new Date(expiresAt.getTime() - 1000)
    expect(tokens.verifyBearer(token, 'https://storage.azure.com')).toBeDefined()
    now = expiresAt
    expect(tokens.verifyBearer(token, 'https://storage.azure.com')).toBeUndefined()
  })

  test('cannot be forged, changed or taken from another start', () => {
    const { token } = tokens.issue(principal, 'https://storage.azure.com')
    const [head, body, signature] = token.split('.')
    const claims = JSON.parse(Buffer.from(body ?? '', 'base64url').toString()) as object
    const forged = Buffer.from(JSON.stringify({ ...claims, oid: 'root' })).toString('base64url')
    const other = createTokenIssuer({ tenantId: directory.tenantId, clock: () => now })
    for (const bad of [`${head}.${forged}.${signature}`, `${head}.${body}.`, `${head}.${body}`, '', 'x.y.z']) {
      expect(tokens.verifyBearer(bad, 'https://storage.azure.com')).toBeUndefined()
    }
    expect(other.verifyBearer(token, 'https://storage.azure.com')).toBeUndefined()
  })
})

describe('identity endpoint', () => {
  let azure: LocalAzure
  beforeAll(async () => {
    azure = await startForTests()
  })
  afterAll(() => azure.close())

  const ask = (query: string, header?: string): Promise<Response> =>
    fetch(`${azure.identityEndpoint}?${query}`, {
      headers: header === undefined ? {} : { 'x-identity-header': header },
    })

  test('the unmodified DefaultAzureCredential gets a token that the resource manager takes', async () => {
    Object.assign(process.env, azure.env)
    const client = new ComputeManagementClient(new DefaultAzureCredential(), azure.subscriptionId, {
      endpoint: azure.resourceManagerEndpoint,
      credentials: { scopes: [`${azure.resourceManagerAudience}/.default`] },
    })
    azure.createDisk({ name: 'seen', sizeGib: 1 })
    const names: Array<string | undefined> = []
    for await (const disk of client.disks.list()) names.push(disk.name)
    expect(names).toEqual(['seen'])
  })

  test('answers in the shape of App Service', async () => {
    const response = await ask('api-version=2019-08-01&resource=https://storage.azure.com/', azure.identityHeader)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      expires_on: expect.stringMatching(/^\d{10}$/),
      resource: 'https://storage.azure.com/',
      token_type: 'Bearer',
      client_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
  })

  test.each([
    ['without the header', 401, 'api-version=2019-08-01&resource=r', undefined],
    ['with the header of nobody', 401, 'api-version=2019-08-01&resource=r', 'nobody'],
    ['with another api-version', 400, 'api-version=2017-09-01&resource=r', 'local-azure'],
    ['without a resource', 400, 'api-version=2019-08-01', 'local-azure'],
    ['for an identity that it does not have', 400, 'api-version=2019-08-01&resource=r&client_id=x', 'local-azure'],
  ])('a request %s is refused with %d', async (_title, status, query, header) => {
    expect((await ask(query, header)).status).toBe(status)
  })

  test('the resource manager answers 401 with a challenge to no token and to one of another audience', async () => {
    const url = `${azure.resourceManagerEndpoint}/subscriptions?api-version=2022-12-01`
    const bare = await fetch(url)
    expect(bare.status).toBe(401)
    expect(bare.headers.get('www-authenticate')).toMatch(/^Bearer authorization_uri="https:\/\/login\.windows\.net\//)
    expect(await bare.json()).toMatchObject({ error: { code: 'AuthenticationFailed' } })

    const wrong = await ask('api-version=2019-08-01&resource=https://storage.azure.com/', azure.identityHeader)
    const { access_token: token } = (await wrong.json()) as { access_token: string }
    const refused = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    expect(refused.status).toBe(401)
    expect(await refused.json()).toMatchObject({ error: { code: 'InvalidAuthenticationToken' } })
  })
})
