import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { AccessToken } from '@azure/identity'
import { AnonymousCredential, ContainerClient, PageBlobClient } from '@azure/storage-blob'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalAzure } from '../../simulator/azure.ts'
import {
  callResourceManager,
  computeClient,
  credentialOf,
  MIB,
  refusalOf,
  startForTests,
} from './local-azure-support.ts'

/**
 * The state directory is copied while the local Azure runs, and another one starts in the copy: that is all that a
 * killed process leaves, and nothing that a closing one might add.
 */

const GROUP = 'kept-rg'
const VERSION = 'api-version=2025-01-02'

let root: string
let generation = 0
let azure: LocalAzure
const others: LocalAzure[] = []
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'kept-azure-'))
  azure = await startForTests({ stateDir: join(root, 'first') })
})
afterEach(async () => {
  for (const each of [azure, ...others.splice(0)]) await each.close()
  rmSync(root, { recursive: true })
})

async function killAndRestart(): Promise<LocalAzure> {
  const copy = join(root, `copy-${generation++}`)
  cpSync(join(root, 'first'), copy, { recursive: true })
  const next = await startForTests({ stateDir: copy })
  others.push(next)
  return next
}

/** Everything that the resource manager lists; addresses are another matter. */
async function seen(at: LocalAzure): Promise<unknown[]> {
  const group = `/subscriptions/${at.subscriptionId}/resourceGroups/${GROUP}`
  const compute = `${group}/providers/Microsoft.Compute`
  const paths = [
    `/subscriptions/${at.subscriptionId}/resourceGroups`,
    ...['disks', 'snapshots', 'virtualMachines', 'restorePointCollections'].map((type) => `${compute}/${type}`),
    `${compute}/restorePointCollections/points/restorePoints/one`,
    `${compute}/restorePointCollections/points/restorePoints/one/diskRestorePoints`,
    `${group}/providers/Microsoft.Storage/storageAccounts`,
  ]
  const answers: unknown[] = []
  for (const path of paths) {
    const response = await callResourceManager(at, 'GET', `${path}?${VERSION}`)
    answers.push([path, response.status, (await response.text()).replaceAll(/https:\/\/localhost:\d+/g, '')])
  }
  return answers
}

async function fill(): Promise<{ diskId: string; snapshotId: string }> {
  const client = computeClient(azure)
  const { id: diskId } = azure.createDisk({ name: 'disk', resourceGroup: GROUP, sizeGib: 1, tags: { $date: 'x' } })
  await azure.writeDisk(diskId, 0, Buffer.alloc(MIB, 1))
  const creationData = { createOption: 'Copy', sourceResourceId: diskId }
  const body = { location: 'westeurope', incremental: true, creationData }
  const snapshot = await client.snapshots.createOrUpdate(GROUP, 'snapshot', body)
  await azure.writeDisk(diskId, 4096, Buffer.alloc(4096, 2))
  await client.snapshots.createOrUpdate(GROUP, 'gone', body)
  await client.snapshots.delete(GROUP, 'gone')
  await client.snapshots.createOrUpdate(GROUP, 'later', body)
  await client.snapshots.createOrUpdate(GROUP, 'copy', {
    location: 'northeurope',
    incremental: true,
    creationData: { createOption: 'CopyStart', sourceResourceId: snapshot.id ?? '' },
  })
  const vm = await client.virtualMachines.createOrUpdate(GROUP, 'vm', {
    location: 'westeurope',
    storageProfile: { osDisk: { createOption: 'Attach', managedDisk: { id: diskId } } },
  })
  const source = { id: vm.id ?? '' }
  await client.restorePointCollections.createOrUpdate(GROUP, 'points', { location: 'westeurope', source })
  await client.restorePoints.create(GROUP, 'points', 'one', {})
  azure.createAccount({ name: 'keptstore', resourceGroup: GROUP })
  return { diskId, snapshotId: snapshot.id ?? '' }
}

describe('a local Azure that is killed and started again in its directory', () => {
  test('has every resource as it was, with its content', async () => {
    const { diskId, snapshotId } = await fill()
    const next = await killAndRestart()
    expect(await seen(next)).toEqual(await seen(azure))
    for (const id of [diskId, snapshotId]) expect(await next.digestDisk(id)).toEqual(await azure.digestDisk(id))
    expect(next.usage()).toEqual(azure.usage())
  })

  test('goes on with an export as VHDX and with a copy that is pending', async () => {
    const client = computeClient(azure)
    const { id } = azure.createDisk({ name: 'large', resourceGroup: GROUP, sizeGib: 1, sku: 'PremiumV2_LRS' })
    await azure.writeDisk(id, 8 * MIB, Buffer.alloc(4096, 4))
    await client.snapshots.createOrUpdate(GROUP, 'large', {
      location: 'westeurope',
      incremental: true,
      creationData: { createOption: 'Copy', sourceResourceId: id },
    })
    const access = { access: 'Read', durationInSeconds: 600, fileFormat: 'VHDX' } as const
    const { accessSAS = '' } = await client.snapshots.grantAccess(GROUP, 'large', access)
    azure.createAccount({ name: 'copies', resourceGroup: GROUP })
    azure.createContainer('copies', 'points')
    azure.changeBlobLimits({ copyBlobMs: 3_600_000 })
    const copyAt = (at: LocalAzure) =>
      new ContainerClient(`${at.blobEndpoint}/copies/points`, credentialOf(at)).getPageBlobClient('copy')
    await copyAt(azure).beginCopyFromURL(accessSAS)
    const { copyId } = await copyAt(azure).getProperties()

    const next = await killAndRestart()
    const exportAt = (at: LocalAzure) =>
      new PageBlobClient(accessSAS.replace(azure.blobEndpoint, at.blobEndpoint), new AnonymousCredential())
    for (const [offset, length] of [[0, MIB], [2 * MIB, 2 * MIB], [14 * MIB, 4096]] as const) {
      const before = await exportAt(azure).downloadToBuffer(offset, length)
      expect((await exportAt(next).downloadToBuffer(offset, length)).equals(before)).toBe(true)
    }
    expect((await exportAt(next).getPageRanges()).pageRange).toEqual((await exportAt(azure).getPageRanges()).pageRange)
    expect(await copyAt(next).getProperties()).toMatchObject({ copyId, copyStatus: 'pending' })
    expect(await refusalOf(copyAt(next).createSnapshot())).toMatchObject({ status: 409 })
    await copyAt(next).abortCopyFromURL(copyId ?? '')
    expect(await copyAt(next).getProperties()).toMatchObject({ copyStatus: 'aborted', contentLength: 0 })
  })

  test('answers a SAS that was out, and the difference between two snapshots', async () => {
    await fill()
    const grant = async (name: string): Promise<string> => {
      const read = { access: 'Read', durationInSeconds: 600 } as const
      return (await computeClient(azure).snapshots.grantAccess(GROUP, name, read)).accessSAS ?? ''
    }
    const [older, newer] = [await grant('snapshot'), await grant('later')]
    const next = await killAndRestart()
    const at = (sas: string): string => sas.replace(azure.blobEndpoint, next.blobEndpoint)
    expect(next.grantedAccess().map(({ sasUrl }) => sasUrl).sort()).toEqual([at(older), at(newer)].sort())
    const blob = new PageBlobClient(at(newer), new AnonymousCredential())
    const diff = await blob.getPageRangesDiffForManagedDisks(0, MIB, at(older))
    expect(diff.pageRange).toEqual([{ offset: 4096, count: 4095 }])
    await computeClient(next).snapshots.revokeAccess(GROUP, 'later')
    expect(await refusalOf(blob.getProperties())).toMatchObject({ status: 403 })
  })

  test('goes on with an upload', async () => {
    const client = computeClient(azure)
    azure.createResourceGroup({ name: GROUP })
    await client.disks.createOrUpdate(GROUP, 'upload', {
      location: 'westeurope',
      creationData: { createOption: 'Upload', uploadSizeBytes: 20 * MIB + 512 },
    })
    const write = { access: 'Write', durationInSeconds: 600 } as const
    const { accessSAS = '' } = await client.disks.grantAccess(GROUP, 'upload', write)
    const blob = (at: LocalAzure): PageBlobClient =>
      new PageBlobClient(accessSAS.replace(azure.blobEndpoint, at.blobEndpoint), new AnonymousCredential())
    await blob(azure).uploadPages(Buffer.alloc(4096, 3), 0, 4096)
    const next = await killAndRestart()
    await blob(next).uploadPages(Buffer.concat([Buffer.from('conectix'), Buffer.alloc(504)]), 20 * MIB, 512)
    await computeClient(next).disks.revokeAccess(GROUP, 'upload')
    const { id = '', diskState } = await computeClient(next).disks.get(GROUP, 'upload')
    expect(diskState).toBe('Unattached')
    expect((await next.readDisk(id, 0, 4096)).equals(Buffer.alloc(4096, 3))).toBe(true)
  })

  test('knows tokens, roles, settings and operations of before', async () => {
    const { diskId } = await fill()
    azure.assignRoles('reader', [{ actions: ['*/read'] }])
    azure.changeSettings({ sasPerFamily: 3 })
    const { token } = (await credentialOf(azure, 'reader').getToken(
      `${azure.resourceManagerAudience}/.default`,
    )) as AccessToken
    const accepted = await callResourceManager(azure, 'PATCH', `${diskId}?${VERSION}`, { tags: { a: 'b' } })
    const location = accepted.headers.get('location') ?? ''

    const next = await killAndRestart()
    expect(next.settings()).toEqual(azure.settings())
    const ask = (method: string): Promise<Response> =>
      fetch(`${next.resourceManagerEndpoint}${diskId}?${VERSION}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
      })
    expect((await ask('GET')).status).toBe(200)
    expect((await ask('DELETE')).status).toBe(403)
    const end = await callResourceManager(
      next,
      'GET',
      location.replace(azure.resourceManagerEndpoint, next.resourceManagerEndpoint),
    )
    expect(await end.json()).toMatchObject({ id: diskId, tags: { a: 'b' } })
  })

  test('reports an operation whose end had not been told as failed, and has its effect', async () => {
    azure.createResourceGroup({ name: GROUP })
    azure.changeSettings({ operationMs: 3_600_000 })
    const path = `/subscriptions/${azure.subscriptionId}/resourceGroups/${GROUP}/providers/Microsoft.Compute/disks/slow`
    const accepted = await callResourceManager(azure, 'PUT', `${path}?${VERSION}`, {
      location: 'westeurope',
      properties: { creationData: { createOption: 'Empty' }, diskSizeGB: 1 },
    })
    const next = await killAndRestart()
    const status = (accepted.headers.get('azure-asyncoperation') ?? '').replace(
      azure.resourceManagerEndpoint,
      next.resourceManagerEndpoint,
    )
    const told = await (await callResourceManager(next, 'GET', status)).json()
    expect(told).toMatchObject({ status: 'Failed', error: { code: 'OperationPreempted' } })
    const disk = await (await callResourceManager(next, 'GET', `${path}?${VERSION}`)).json()
    expect(disk).toMatchObject({ properties: { provisioningState: 'Succeeded' } })
  })

  test('can be restarted again and again', async () => {
    const { diskId } = await fill()
    const before = await seen(azure)
    await azure.close()
    for (let restart = 0; restart < 3; restart++) {
      azure = await startForTests({ stateDir: join(root, 'first') })
      expect(await seen(azure)).toEqual(before)
      await azure.close()
    }
    azure = await startForTests({ stateDir: join(root, 'first') })
    expect((await azure.readDisk(diskId, 4096, 4096)).equals(Buffer.alloc(4096, 2))).toBe(true)
  })
})
