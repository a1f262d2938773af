import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { AccessUri, ComputeManagementClient, GrantAccessData } from '@azure/arm-compute'
import { AnonymousCredential, PageBlobClient } from '@azure/storage-blob'
import type { LocalAzure } from '../../simulator/azure.ts'
import { createVhdFooter } from '../../simulator/compute/vhd-footer.ts'
import { callResourceManager, computeClient, refusalOf, startForTests } from './local-azure-support.ts'

const GROUP = 'access-rg'
const MIB = 1024 ** 2
const GIB = 1024 ** 3
const READ: GrantAccessData = { access: 'Read', durationInSeconds: 3600 }

let azure: LocalAzure
let client: ComputeManagementClient
let now = new Date()
let names = 0
beforeAll(async () => {
  azure = await startForTests({ clock: () => now })
  client = computeClient(azure)
  azure.createResourceGroup({ name: GROUP })
})
afterAll(() => azure.close())
beforeEach(() => void azure.changeSettings({ secondGrant: 'same', deleteWithAccess: 'refuse', backgroundCopyMs: 0 }))

const aDisk = (more: Partial<Parameters<LocalAzure['createDisk']>[0]> = {}): string =>
  azure.createDisk({ name: `disk-${names++}`, resourceGroup: GROUP, sizeGib: 1, ...more }).id

const pageBlob = (sasUrl: string): PageBlobClient => new PageBlobClient(sasUrl, new AnonymousCredential())

const nameIn = (id: string | undefined): string => id?.split('/').at(-1) ?? ''

/** The name of a new incremental snapshot. */
async function snapshotOf(diskId: string): Promise<string> {
  const name = `snapshot-${names++}`
  const creationData = { createOption: 'Copy', sourceResourceId: diskId }
  await client.snapshots.createOrUpdate(GROUP, name, { location: 'westeurope', incremental: true, creationData })
  return name
}

async function grant(name: string, data: GrantAccessData = READ): Promise<string> {
  const { accessSAS } = await client.snapshots.grantAccess(GROUP, name, data)
  if (accessSAS === undefined) throw new Error('no accessSAS')
  return accessSAS
}

describe('access to a snapshot', () => {
  test('is a SAS of an md- account that reads the content with a VHD footer behind it', async () => {
    const diskId = aDisk()
    await azure.writeDisk(diskId, 64 * 1024, Buffer.alloc(4096, 7))
    const name = await snapshotOf(diskId)
    await azure.writeDisk(diskId, 64 * 1024, Buffer.alloc(4096, 8))
    const sas = await grant(name)
    expect(sas).toMatch(/\/md-[^/]+\/[^/]+\/[^?]+\?.*sig=/)

    const blob = pageBlob(sas)
    expect((await blob.getProperties()).contentLength).toBe(GIB + 512)
    expect(await blob.downloadToBuffer(64 * 1024, 4096)).toEqual(Buffer.alloc(4096, 7))
    const snapshot = await client.snapshots.get(GROUP, name)
    const footer = createVhdFooter({
      diskSizeBytes: GIB,
      createdAt: snapshot.timeCreated ?? new Date(0),
      uniqueId: snapshot.uniqueId ?? '',
    })
    expect(await blob.downloadToBuffer(GIB, 512)).toEqual(footer)
  })

  test('shows as ActiveSAS and in the list of grants until it is revoked, which cuts it off', async () => {
    const name = await snapshotOf(aDisk())
    const sas = await grant(name)
    const { id, diskState } = await client.snapshots.get(GROUP, name)
    expect(diskState).toBe('ActiveSAS')
    expect(azure.grantedAccess()).toContainEqual(expect.objectContaining({ id, access: 'Read', sasUrl: sas }))

    await client.snapshots.revokeAccess(GROUP, name)
    expect((await client.snapshots.get(GROUP, name)).diskState).toBe('Unattached')
    expect(azure.grantedAccess().map((access) => access.id)).not.toContain(id)
    expect(await refusalOf(pageBlob(sas).getProperties())).toMatchObject({ status: 403 })
    await client.snapshots.revokeAccess(GROUP, name)
  })

  test('is told at both addresses of the operation', async () => {
    const name = await snapshotOf(aDisk())
    const path = (await client.snapshots.get(GROUP, name)).id ?? ''
    const accepted = await callResourceManager(azure, 'POST', `${path}/beginGetAccess?api-version=2025-01-02`, READ)
    expect(accepted.status).toBe(202)
    const status = await callResourceManager(azure, 'GET', accepted.headers.get('azure-asyncoperation') ?? '')
    const monitor = await callResourceManager(azure, 'GET', accepted.headers.get('location') ?? '')
    const output = (await monitor.json()) as AccessUri
    expect(output.accessSAS).toMatch(/sig=/)
    expect(await status.json()).toMatchObject({ status: 'Succeeded', properties: { output } })

    const revoked = await callResourceManager(azure, 'POST', `${path}/endGetAccess?api-version=2025-01-02`)
    const end = await callResourceManager(azure, 'GET', revoked.headers.get('location') ?? '')
    expect([revoked.status, end.status, await end.text()]).toEqual([202, 200, ''])
  })

  test('a second time gives the same SAS, a new one or none, by setting', async () => {
    const name = await snapshotOf(aDisk())
    const first = await grant(name)
    expect(await grant(name)).toBe(first)

    azure.changeSettings({ secondGrant: 'refuse' })
    expect(await refusalOf(grant(name))).toMatchObject({ status: 409, code: 'OperationNotAllowed' })

    azure.changeSettings({ secondGrant: 'new' })
    const second = await grant(name)
    expect(second).not.toBe(first)
    expect(await refusalOf(pageBlob(first).getProperties())).toMatchObject({ status: 403 })
    expect((await pageBlob(second).getProperties()).contentLength).toBe(GIB + 512)
  })

  test('is out for five snapshots of a family at most; other families and full snapshots do not count', async () => {
    const diskId = aDisk()
    const snapshots: string[] = []
    for (let index = 0; index < 6; index++) snapshots.push(await snapshotOf(diskId))
    const [sixth = '', ...five] = snapshots
    for (const name of five) await grant(name)
    await grant(await snapshotOf(aDisk()))
    const refusal = await refusalOf(grant(sixth))
    expect(refusal).toMatchObject({ status: 409, code: 'ActiveSasLimitExceeded' })
    await grant(five[0] ?? '')

    await client.snapshots.revokeAccess(GROUP, five[0] ?? '')
    await grant(sixth)
  })

  test('runs out by itself and then no longer counts', async () => {
    const name = await snapshotOf(aDisk())
    await grant(name, { access: 'Read', durationInSeconds: 60 })
    now = new Date(now.getTime() + 61_000)
    expect((await client.snapshots.get(GROUP, name)).diskState).toBe('Unattached')
    await client.snapshots.delete(GROUP, name)
  })

  test('holds the snapshot against deletion, or ends with it, by setting', async () => {
    const name = await snapshotOf(aDisk())
    const sas = await grant(name)
    const refusal = await refusalOf(client.snapshots.delete(GROUP, name))
    expect(refusal).toMatchObject({ status: 409, code: 'OperationNotAllowed' })
    expect(refusal.message).toContain(`active shared access signature outstanding for snapshot ${name}`)
    azure.changeSettings({ deleteWithAccess: 'revoke' })
    await client.snapshots.delete(GROUP, name)
    expect(await refusalOf(pageBlob(sas).getProperties())).toMatchObject({ status: 403 })
  })

  test.each<[string, GrantAccessData]>([
    ['for longer than 60 days', { access: 'Read', durationInSeconds: 5_184_001 }],
    ['for no time', { access: 'Read', durationInSeconds: 0 }],
    ['to write', { access: 'Write', durationInSeconds: 60 }],
    ['of no kind', { access: 'None', durationInSeconds: 60 }],
    ['as VHDX', { access: 'Read', durationInSeconds: 60, fileFormat: 'VHDX' }],
  ])('%s is refused', async (_title, data) => {
    const name = await snapshotOf(aDisk())
    expect(await refusalOf(grant(name, data))).toMatchObject({ status: 400, code: 'InvalidParameter' })
  })

  test('for 60 days is the longest, unless another limit is set', async () => {
    const name = await snapshotOf(aDisk())
    await grant(name, { access: 'Read', durationInSeconds: 5_184_000 })
    azure.changeSettings({ maxAccessSeconds: 3600 })
    expect(await refusalOf(grant(name, { access: 'Read', durationInSeconds: 3601 }))).toMatchObject({ status: 400 })
    azure.changeSettings({ maxAccessSeconds: 5_184_000 })
  })

  test('with 4096-byte sectors needs a file format', async () => {
    const refusal = await refusalOf(grant(await snapshotOf(aDisk({ sku: 'PremiumV2_LRS' }))))
    expect(refusal).toMatchObject({ status: 400 })
    expect(refusal.message).toContain('logical sector size of 4096 requires specifying the file format')
  })

  test('is refused while the background copy runs', async () => {
    azure.changeSettings({ backgroundCopyMs: 3_600_000 })
    const disk = await client.disks.createOrUpdate(GROUP, 'small-sectors', {
      location: 'westeurope',
      sku: { name: 'PremiumV2_LRS' },
      creationData: { createOption: 'Empty', logicalSectorSize: 512 },
      diskSizeGB: 1,
    })
    const name = await snapshotOf(disk.id ?? '')
    const refusal = await refusalOf(grant(name))
    expect(refusal).toMatchObject({ status: 409, code: 'OperationNotAllowed' })
    expect(refusal.message).toContain('background copy')
    now = new Date(now.getTime() + 3_601_000)
    await grant(name)
  })

  test('is refused by the policy DenyAll', async () => {
    const name = await snapshotOf(aDisk())
    await client.snapshots.update(GROUP, name, { networkAccessPolicy: 'DenyAll' })
    expect(await refusalOf(grant(name))).toMatchObject({ status: 409, code: 'OperationNotAllowed' })
  })
})

describe('access to a disk', () => {
  test('reads it and holds it against deletion and growth', async () => {
    const diskId = aDisk()
    const disk = nameIn(diskId)
    await azure.writeDisk(diskId, 0, Buffer.alloc(512, 3))
    const { accessSAS = '' } = await client.disks.grantAccess(GROUP, disk, READ)
    expect(await pageBlob(accessSAS).downloadToBuffer(0, 512)).toEqual(Buffer.alloc(512, 3))
    expect((await client.disks.get(GROUP, disk)).diskState).toBe('ActiveSAS')
    expect(await refusalOf(client.disks.delete(GROUP, disk))).toMatchObject({ status: 409 })
    expect(await refusalOf(client.disks.update(GROUP, disk, { diskSizeGB: 2 }))).toMatchObject({ status: 409 })
    await client.disks.revokeAccess(GROUP, disk)
    await client.disks.delete(GROUP, disk)
  })
})

describe('an upload', () => {
  const UPLOAD_BYTES = 20 * MIB + 512
  const anUpload = async (): Promise<string> => {
    const name = `upload-${names++}`
    const creationData = { createOption: 'Upload', uploadSizeBytes: UPLOAD_BYTES }
    await client.disks.createOrUpdate(GROUP, name, { location: 'westeurope', creationData, osType: 'Linux' })
    return name
  }
  const open = async (name: string): Promise<PageBlobClient> => {
    const { accessSAS = '' } = await client.disks.grantAccess(GROUP, name, { access: 'Write', durationInSeconds: 3600 })
    return pageBlob(accessSAS)
  }
  const stateOf = async (name: string): Promise<string | undefined> => (await client.disks.get(GROUP, name)).diskState

  test('goes ReadyToUpload, ActiveUpload, Unattached and leaves the disk without its footer', async () => {
    const name = await anUpload()
    expect(await stateOf(name)).toBe('ReadyToUpload')
    const blob = await open(name)
    expect(await stateOf(name)).toBe('ActiveUpload')
    await blob.uploadPages(Buffer.alloc(4096, 9), 8192, 4096)
    const footer = createVhdFooter({ diskSizeBytes: 20 * MIB, createdAt: now, uniqueId: '0'.repeat(32) })
    await blob.uploadPages(footer, 20 * MIB, 512)
    await client.disks.revokeAccess(GROUP, name)

    const disk = await client.disks.get(GROUP, name)
    expect(disk).toMatchObject({ diskState: 'Unattached', diskSizeBytes: 20 * MIB, osType: 'Linux' })
    expect(await azure.readDisk(disk.id ?? '', 8192, 4096)).toEqual(Buffer.alloc(4096, 9))
    await snapshotOf(disk.id ?? '')
  })

  test('without a VHD footer fails, and can be mended', async () => {
    const name = await anUpload()
    await open(name)
    const refusal = await refusalOf(client.disks.revokeAccess(GROUP, name))
    expect(refusal.message).toContain("Disk is expected to have cookie value 'conectix'")
    expect(await stateOf(name)).toBe('ActiveUpload')

    const blob = await open(name)
    const footer = createVhdFooter({ diskSizeBytes: 20 * MIB, createdAt: now, uniqueId: '0'.repeat(32) })
    await blob.uploadPages(footer, 20 * MIB, 512)
    await client.disks.revokeAccess(GROUP, name)
    expect(await stateOf(name)).toBe('Unattached')
  })

  test('under way can be neither read, nor snapshotted, nor grown', async () => {
    const name = await anUpload()
    const { id = '' } = await client.disks.get(GROUP, name)
    expect(await refusalOf(client.disks.grantAccess(GROUP, name, READ))).toMatchObject({ status: 400 })
    expect(await refusalOf(snapshotOf(id))).toMatchObject({ status: 409 })
    expect(await refusalOf(client.disks.update(GROUP, name, { diskSizeGB: 2 }))).toMatchObject({ status: 409 })
  })
})

describe('roles', () => {
  test('a missing action is refused by name, with the scope', async () => {
    const diskId = aDisk()
    const name = await snapshotOf(diskId)
    const principal = 'reader'
    azure.assignRoles(principal, [{ actions: ['Microsoft.Compute/*/read'] }])
    const reader = computeClient(azure, principal)
    expect((await reader.snapshots.get(GROUP, name)).name).toBe(name)
    const refusal = await refusalOf(reader.snapshots.grantAccess(GROUP, name, READ))
    expect(refusal).toMatchObject({ status: 403, code: 'AuthorizationFailed' })
    expect(refusal.message).toContain("perform action 'Microsoft.Compute/snapshots/beginGetAccess/action' over scope")
    expect(refusal.message).toContain(`/snapshots/${name}'`)
  })

  test('a snapshot needs beginGetAccess on the disk as well', async () => {
    const diskId = aDisk()
    const principal = 'snapshotter'
    const actions = ['Microsoft.Compute/snapshots/*', 'Microsoft.Compute/disks/read']
    azure.assignRoles(principal, [{ actions }])
    const snapshotter = computeClient(azure, principal)
    const take = () =>
      snapshotter.snapshots.createOrUpdate(GROUP, `by-${principal}`, {
        location: 'westeurope',
        incremental: true,
        creationData: { createOption: 'Copy', sourceResourceId: diskId },
      })
    const refusal = await refusalOf(take())
    expect(refusal).toMatchObject({ status: 403, code: 'LinkedAuthorizationFailed' })
    expect(refusal.message).toContain('Microsoft.Compute/disks/beginGetAccess/action')
    azure.assignRoles(principal, [{ actions: [...actions, 'Microsoft.Compute/disks/beginGetAccess/action'] }])
    expect((await take()).provisioningState).toBe('Succeeded')
  })
})
