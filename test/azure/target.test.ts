import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TARGET_MARKER_NAME } from '../../domain/names.ts'
import { createAzureClients } from '../../azure/clients.ts'
import { PUBLIC_CLOUD } from '../../azure/settings.ts'
import { checkTarget } from '../../azure/target.ts'
import { failureOf } from './support/clients.ts'
import { openScene, type Scene } from './support/local-azure.ts'
import { playScript, storageError } from './support/scripted-server.ts'

let scene: Scene

beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene.close())

async function targetIn(account: Parameters<Scene['local']['createAccount']>[0]): Promise<string> {
  scene.local.createAccount(account)
  const url = `${scene.local.blobEndpoint}/${account.name}/target`
  await scene.azure.container(url).create()
  return url
}

describe('checkTarget', () => {
  test('a standard general-purpose v2 account is fine, twice, and is marked', async () => {
    expect(await checkTarget(scene.azure, scene.targetUrl)).toEqual({ accountKind: 'StorageV2', sku: 'Standard_LRS' })
    await checkTarget(scene.azure, scene.targetUrl)
    expect(await scene.azure.container(scene.targetUrl).getBlobClient(TARGET_MARKER_NAME).exists()).toBe(true)
  })

  test.each([
    ['premium', { name: 'premium1', sku: 'Premium_LRS' as const }],
    ['with a hierarchical namespace', { name: 'hns1', isHnsEnabled: true }],
    ['for blobs only', { name: 'blobonly1', kind: 'BlobStorage' as const }],
  ])('an account that is %s is refused', async (_, account) => {
    expect(await failureOf(checkTarget(scene.azure, await targetIn(account)))).toMatchObject({
      type: 'TargetNotSupported',
    })
  })

  test('a missing container and a missing account are told as such', async () => {
    const container = scene.targetUrl.replace(/target$/, 'missing')
    expect(await failureOf(checkTarget(scene.azure, container))).toMatchObject({ type: 'TargetNotFound' })
    const account = scene.targetUrl.replace('/backups/', '/nosuchaccount/')
    expect(await failureOf(checkTarget(scene.azure, account))).toMatchObject({ type: 'TargetNotFound' })
  })

  test('an account whose host is unknown is not there', async () => {
    const failure = await failureOf(checkTarget(scene.azure, 'https://no-such-account.invalid/backups/target'))
    expect(failure).toMatchObject({ type: 'TargetNotFound' })
  })

  test('the right to write is named where it is missing', async () => {
    scene.local.assignRoles('reader', [{ actions: ['*/read'] }])
    expect(await failureOf(checkTarget(scene.clientsOf('reader'), scene.targetUrl))).toMatchObject({
      type: 'AccessDenied',
      message: expect.stringContaining('Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write'),
    })
  })

  test('whoever may not ask for the account may still keep backups there', async () => {
    const server = await playScript(
      ({ path }) =>
        path.includes('restype=account')
          ? storageError(403, 'AuthorizationPermissionMismatch')
          : { status: 201, headers: { etag: '"1"' } },
      { tls: true },
    )
    const azure = createAzureClients(PUBLIC_CLOUD, {
      getToken: async () => ({ token: 't', expiresOnTimestamp: Date.now() + 3_600_000 }),
    })
    try {
      expect(await checkTarget(azure, `${server.origin}/acct/backups`)).toEqual({})
      expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'GET /acct/?comp=properties&restype=account',
        'GET /acct/backups?comp=properties&restype=account',
        `PUT /acct/backups/${TARGET_MARKER_NAME}`,
      ])
    } finally {
      await server.close()
    }
  })
})
