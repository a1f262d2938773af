import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GIB, MIB } from '../../domain/byte-range.ts'
import type { DiskShape } from '../../domain/source-disk.ts'
import { restoreTags } from '../../domain/tags.ts'
import { deleteDisk, findDisk, getDisk } from '../../azure/disks.ts'
import { createUploadDisk } from '../../azure/new-disks.ts'
import { ExportAccess } from '../../azure/export-access.ts'
import { readSource } from '../../azure/source-blob.ts'
import { UploadBlob } from '../../azure/upload-blob.ts'
import { failureOf } from './support/clients.ts'
import { openScene, type Scene } from './support/local-azure.ts'

let scene: Scene

beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene.close())

function specOf(name: string, shape: Partial<DiskShape> = {}, request = 'r-1') {
  return {
    id: scene.idOf('disks', name),
    location: 'northeurope',
    sizeBytes: GIB,
    shape: { logicalSectorBytes: 512, ...shape },
    tags: restoreTags('point-1', request),
  }
}

describe('disks', () => {
  test('a disk is read with all that a restore needs', async () => {
    const { id, uniqueId } = scene.local.createDisk({
      name: 'os-1',
      sizeGib: 4,
      sku: 'Premium_ZRS',
      tags: { app: 'erp' },
      properties: {
        osType: 'Linux',
        hyperVGeneration: 'V2',
        supportedCapabilities: { architecture: 'x64', acceleratedNetwork: true },
      },
    })
    expect(await getDisk(scene.azure, id.toUpperCase())).toEqual({
      id,
      uniqueId,
      name: 'os-1',
      location: 'westeurope',
      sizeBytes: 4 * GIB,
      shape: {
        sku: 'Premium_ZRS',
        osType: 'Linux',
        hyperVGeneration: 'V2',
        architecture: 'x64',
        acceleratedNetwork: true,
        logicalSectorBytes: 512,
        tags: { app: 'erp' },
      },
      isUnattached: true,
    })
  })

  test('performance is read where it is more than what comes with SKU and size', async () => {
    const performanceOf = async (name: string, sku: string, properties: Record<string, unknown>) => {
      const { id } = scene.local.createDisk({ name, sizeGib: 100, sku, zones: ['1'], properties })
      return (await getDisk(scene.azure, id)).shape.performance
    }
    expect(await performanceOf('usual', 'Premium_LRS', { tier: 'P10', diskIOPSReadWrite: 500, diskMBpsReadWrite: 100, maxShares: 1, burstingEnabled: false })).toBeUndefined()
    expect(await performanceOf('raised', 'Premium_LRS', { tier: 'P50', maxShares: 2, burstingEnabled: true })).toEqual({ tier: 'P50', maxShares: 2, burstingEnabled: true })
    const provisioned = { diskIOPSReadWrite: 9000, diskMBpsReadWrite: 400, diskIOPSReadOnly: 800, diskMBpsReadOnly: 40 }
    expect(await performanceOf('provisioned', 'PremiumV2_LRS', provisioned)).toEqual({
      diskIopsReadWrite: 9000,
      diskMBpsReadWrite: 400,
      diskIopsReadOnly: 800,
      diskMBpsReadOnly: 40,
    })
  })

  test('keys are read where they are not of the platform, and a disk is made under the set of its shape', async () => {
    const diskEncryptionSetId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskEncryptionSets/e'
    const encryption = { type: 'EncryptionAtRestWithCustomerKey', diskEncryptionSetId }
    const secretUrl = 'https://v.vault.azure.net/secrets/bek/1'
    const encryptionSettingsCollection = { enabled: true, encryptionSettings: [{ diskEncryptionKey: { sourceVault: { id: '/v' }, secretUrl } }], encryptionSettingsVersion: '1.1' }
    const { id } = scene.local.createDisk({ name: 'keyed', sizeGib: 1, properties: { encryption, encryptionSettingsCollection } })
    const { shape } = await getDisk(scene.azure, id)
    // `toStrictEqual`: a key that is undefined could not be written into a manifest.
    expect(shape).toStrictEqual({ ...shape, encryption, encryptionSettingsCollection })
    const spec = specOf('keyed-restored', { encryption })
    await createUploadDisk(scene.azure, spec)
    expect((await getDisk(scene.azure, spec.id)).shape).toMatchObject({ encryption })
    const byPlatform = scene.local.createDisk({ name: 'unkeyed', sizeGib: 1, properties: { encryption: { type: 'EncryptionAtRestWithPlatformKey' }, encryptionSettingsCollection: { enabled: false } } })
    expect((await getDisk(scene.azure, byPlatform.id)).shape).toStrictEqual({ sku: 'Premium_LRS', logicalSectorBytes: 512, tags: {} })
  })

  test('a shape that was read makes a disk of the same shape', async () => {
    const { id } = scene.local.createDisk({
      name: 'os-2',
      sizeGib: 1,
      properties: {
        osType: 'Windows',
        hyperVGeneration: 'V2',
        supportedCapabilities: { architecture: 'Arm64', diskControllerTypes: 'SCSI, NVMe' },
      },
    })
    const source = await getDisk(scene.azure, id)
    const spec = specOf('os-2-restored', source.shape)
    await createUploadDisk(scene.azure, spec)
    const { shape, sizeBytes } = await getDisk(scene.azure, spec.id)
    expect(shape).toEqual({ ...source.shape, tags: spec.tags })
    expect([GIB, GIB + 512]).toContain(sizeBytes)
  })

  test('a second call of the same request finds the disk of the first; another request does not get it', async () => {
    const spec = specOf('twice')
    await createUploadDisk(scene.azure, spec)
    await createUploadDisk(scene.azure, spec)
    expect(await findDisk(scene.azure, spec.id)).toMatchObject({ state: 'ReadyToUpload' })
    expect(await failureOf(createUploadDisk(scene.azure, specOf('twice', {}, 'r-2')))).toMatchObject({
      type: 'DiskExists',
    })
  })

  test('a disk of somebody else is never written', async () => {
    const { id } = scene.local.createDisk({ name: 'theirs', sizeGib: 1 })
    expect(await failureOf(createUploadDisk(scene.azure, { ...specOf('theirs'), id }))).toMatchObject({
      type: 'DiskExists',
    })
  })

  test('a region or SKU that is not offered is told as such', async () => {
    const spec = { ...specOf('nowhere'), location: 'atlantis' }
    expect(await failureOf(createUploadDisk(scene.azure, spec))).toMatchObject({
      type: 'RegionMismatch',
      message: expect.stringContaining('atlantis'),
    })
    expect(await failureOf(createUploadDisk(scene.azure, specOf('odd', { sku: 'Quantum_LRS' })))).toMatchObject({
      type: 'RegionMismatch',
    })
    const zoneless = { ...specOf('zoneless', { sku: 'Premium_ZRS' }), location: 'westus' }
    expect(await failureOf(createUploadDisk(scene.azure, zoneless))).toMatchObject({ type: 'RegionMismatch' })
  })

  test('deleting one that is gone is fine', async () => {
    const spec = specOf('brief')
    await createUploadDisk(scene.azure, spec)
    await deleteDisk(scene.azure, spec.id)
    await deleteDisk(scene.azure, spec.id)
    expect(await findDisk(scene.azure, spec.id)).toBeUndefined()
  })
})

describe('upload', () => {
  test('written, copied and cleared pages and the footer make a disk with that content', async () => {
    const source = scene.local.createDisk({ name: 'source', sizeGib: 1 })
    await scene.local.writeDisk(source.id, 8 * MIB, Buffer.alloc(4 * MIB, 8))
    const access = new ExportAccess(scene.azure)
    const { accessSAS } = await scene.azure
      .compute(scene.local.subscriptionId)
      .disks.grantAccess('local', 'source', { access: 'Read', durationInSeconds: 600 })
    const spec = specOf('filled')
    await createUploadDisk(scene.azure, spec)

    const url = await access.write(spec.id)
    const upload = new UploadBlob(scene.azure, () => url)
    await upload.write(0, Buffer.alloc(1024, 1))
    await upload.clear({ startBytes: 512, endBytes: 1024 })
    await upload.copyFrom(accessSAS!, { startBytes: 8 * MIB, endBytes: 12 * MIB })
    const footer = await readSource(scene.azure, accessSAS!, { startBytes: GIB, endBytes: GIB + 512 })
    await upload.write(GIB, footer)
    await access.revoke(spec.id)

    expect(await findDisk(scene.azure, spec.id)).toMatchObject({ state: 'Unattached', sizeBytes: GIB })
    expect(await scene.local.readDisk(spec.id, 0, 1024)).toEqual(
      Buffer.concat([Buffer.alloc(512, 1), Buffer.alloc(512)]),
    )
    expect(Buffer.alloc(4 * MIB, 8).equals(await scene.local.readDisk(spec.id, 8 * MIB, 4 * MIB))).toBe(true)
    expect(await failureOf(createUploadDisk(scene.azure, spec))).toMatchObject({ type: 'DiskExists' })
  })

  test('a disk without a footer does not pass for finished', async () => {
    const spec = specOf('footless')
    await createUploadDisk(scene.azure, spec)
    const access = new ExportAccess(scene.azure)
    await access.write(spec.id)
    const failure = await failureOf(access.revoke(spec.id))
    expect(failure.message).toContain('conectix')
  })

  test('a SAS that was withdrawn is told from other refusals, and its successor is used', async () => {
    const spec = specOf('interrupted')
    await createUploadDisk(scene.azure, spec)
    const access = new ExportAccess(scene.azure)
    let url = await access.write(spec.id)
    const upload = new UploadBlob(scene.azure, () => url)
    scene.local.withdrawAccess(spec.id)
    expect(await failureOf(upload.write(0, Buffer.alloc(512)))).toMatchObject({ type: 'ExportAccessLost' })
    url = await access.renew(spec.id, url)
    await upload.write(0, Buffer.alloc(512, 3))
    expect(await upload.read({ startBytes: 0, endBytes: 512 })).toEqual(Buffer.alloc(512, 3))
  })

  test('a base blob snapshot is copied by the bearer of a token', async () => {
    const blob = scene.azure.container(scene.targetUrl).getPageBlobClient('base')
    await blob.create(GIB + 512)
    await blob.uploadPages(Buffer.alloc(512, 6), 0, 512)
    const spec = specOf('from-base')
    await createUploadDisk(scene.azure, spec)
    const url = await new ExportAccess(scene.azure).write(spec.id)
    const upload = new UploadBlob(scene.azure, () => url)
    const range = { startBytes: 0, endBytes: 512 }
    await upload.copyFrom(blob.url, range, { sourceAuthorization: await scene.azure.storageToken() })
    expect(await upload.read(range)).toEqual(Buffer.alloc(512, 6))
    expect(await failureOf(upload.copyFrom(blob.url, range, { sourceAuthorization: 'not-a-token' }))).toMatchObject({
      type: 'ServerSideCopyRefused',
    })
  })
})
