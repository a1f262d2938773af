import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ComputeManagementClient, Snapshot } from '@azure/arm-compute'
import { AnonymousCredential, ContainerClient, PageBlobClient } from '@azure/storage-blob'
import type { LocalAzure } from '../../simulator/azure.ts'
import { computeClient, credentialOf, refusalOf, startForTests } from './local-azure-support.ts'

const GROUP = 'private-rg'
const DATA = Buffer.alloc(4096, 5)
const DISK_SCOPE = 'https://disk.azure.com//.default'

let azure: LocalAzure
let client: ComputeManagementClient
let base: PageBlobClient
let diskId: string
beforeAll(async () => {
  azure = await startForTests()
  client = computeClient(azure)
  azure.createAccount({ name: 'target' })
  azure.createContainer('target', 'points')
  base = new ContainerClient(`${azure.blobEndpoint}/target/points`, credentialOf(azure)).getPageBlobClient('base')
  await base.create(4096)
  diskId = azure.createDisk({ name: 'disk', resourceGroup: GROUP, sizeGib: 1 }).id
  await azure.writeDisk(diskId, 0, DATA)
})
afterAll(() => azure.close())

/** The SAS of a new snapshot with these properties. */
async function exportOf(name: string, properties: Partial<Snapshot>): Promise<string> {
  await client.snapshots.createOrUpdate(GROUP, name, {
    location: 'westeurope',
    incremental: true,
    creationData: { createOption: 'Copy', sourceResourceId: diskId },
    ...properties,
  })
  const { accessSAS = '' } = await client.snapshots.grantAccess(GROUP, name, { access: 'Read', durationInSeconds: 600 })
  return accessSAS
}

async function diskToken(principal?: string): Promise<string> {
  const token = await credentialOf(azure, principal).getToken(DISK_SCOPE)
  return token?.token ?? ''
}

const get = (sas: string, token?: string): Promise<Response> =>
  fetch(sas, {
    headers: {
      'x-ms-version': '2021-12-02',
      range: 'bytes=0-4095',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
  })

describe('a snapshot with private access', () => {
  test.each([
    ['networkAccessPolicy AllowPrivate', { networkAccessPolicy: 'AllowPrivate', diskAccessId: '/d' }],
    ['publicNetworkAccess Disabled', { publicNetworkAccess: 'Disabled' }],
  ])('by %s refuses server-side copy, and can be streamed', async (name, properties) => {
    const sas = await exportOf(`private-${name.split(' ')[0]}`, properties)
    expect(await refusalOf(base.uploadPagesFromURL(sas, 0, 0, 4096))).toMatchObject({
      status: 409,
      code: 'CopySourceCannotBeIncrementalCopyBlob',
    })
    const streamed = await new PageBlobClient(sas, new AnonymousCredential()).downloadToBuffer(0, 4096)
    expect(streamed.equals(DATA)).toBe(true)
    await base.uploadPages(streamed, 0, streamed.length)
    expect((await base.downloadToBuffer(0, 4096)).equals(DATA)).toBe(true)
  })

  test('by DenyAll gives no SAS', async () => {
    expect(await refusalOf(exportOf('denied', { networkAccessPolicy: 'DenyAll' }))).toMatchObject({ status: 409 })
  })
})

describe('a snapshot whose data is protected by Entra', () => {
  let sas: string
  beforeAll(async () => {
    sas = await exportOf('protected', { dataAccessAuthMode: 'AzureActiveDirectory' })
  })

  test('is read with a token for the disk audience beside the SAS, and not without', async () => {
    expect((await get(sas)).status).toBe(401)
    const wrong = await credentialOf(azure).getToken('https://storage.azure.com/.default')
    expect((await get(sas, wrong?.token)).status).toBe(401)
    const right = await get(sas, await diskToken())
    expect(right.status).toBe(206)
    expect(Buffer.from(await right.arrayBuffer()).equals(DATA)).toBe(true)
  })

  test('is read by those only who may download it', async () => {
    azure.assignRoles('operator', [{ actions: ['Microsoft.Compute/snapshots/beginGetAccess/action'] }])
    const refused = await get(sas, await diskToken('operator'))
    expect(refused.status).toBe(403)
    expect(refused.headers.get('x-ms-error-code')).toBe('AuthorizationPermissionMismatch')
    const { id = '' } = await client.snapshots.get(GROUP, 'protected')
    azure.assignRoles('operator', [{ actions: ['Microsoft.Compute/snapshots/download/action'], scope: id }])
    expect((await get(sas, await diskToken('operator'))).status).toBe(206)
  })

  test('is copied by the service when the token stands beside the source', async () => {
    expect(await refusalOf(base.uploadPagesFromURL(sas, 0, 0, 4096))).toMatchObject({ status: 401 })
    const value = await diskToken()
    await base.uploadPagesFromURL(sas, 0, 0, 4096, { sourceAuthorization: { scheme: 'Bearer', value } })
    expect((await base.downloadToBuffer(0, 4096)).equals(DATA)).toBe(true)
  })
})

test('an upload protected by Entra needs the right to upload', async () => {
  const creationData = { createOption: 'Upload', uploadSizeBytes: 20 * 1024 ** 2 + 512 }
  await client.disks.createOrUpdate(GROUP, 'upload', {
    location: 'westeurope',
    creationData,
    dataAccessAuthMode: 'AzureActiveDirectory',
  })
  const grant = { access: 'Write', durationInSeconds: 600 } as const
  const { accessSAS = '' } = await client.disks.grantAccess(GROUP, 'upload', grant)
  azure.assignRoles('uploader', [{ actions: ['Microsoft.Compute/disks/download/action'] }])
  const put = async (): Promise<number> => {
    const response = await fetch(`${accessSAS}&comp=page`, {
      method: 'PUT',
      body: DATA,
      headers: {
        authorization: `Bearer ${await diskToken('uploader')}`,
        'x-ms-version': '2021-12-02',
        'x-ms-page-write': 'update',
        'x-ms-range': 'bytes=0-4095',
      },
    })
    return response.status
  }
  expect(await put()).toBe(403)
  azure.assignRoles('uploader', [{ actions: ['Microsoft.Compute/disks/upload/action'] }])
  expect(await put()).toBe(201)
})
