/** The whole way of a backup and its restore by the unmodified JavaScript SDKs, from region to region. */
import { randomBytes } from 'node:crypto'
import { ComputeManagementClient } from '@azure/arm-compute'
import { AnonymousCredential, PageBlobClient } from '@azure/storage-blob'
import { expect, test } from '@jest/globals'
import { conformance } from './support/conformance.ts'
import { VHD_FOOTER_BYTES } from './support/disks.ts'
import { createSigner } from './support/signatures.ts'
import { fixedVhdFooter } from './support/vhd-footer.ts'

const MIB = 2 ** 20
const DISK_BYTES = 20 * MIB
const UPLOAD_BYTES = DISK_BYTES + VHD_FOOTER_BYTES
const MAX_COPY_BYTES = 4 * MIB
/** Where the service says nothing of its own; the SDK's two seconds would be most of the test. */
const POLLING = { updateIntervalInMs: 500 }

conformance('the SDKs for JavaScript', (ground) => {
  test('upload a disk, back it up into a blob snapshot and restore it to a disk of equal bytes', async () => {
    const { place, blobs, disks } = ground()
    const compute = new ComputeManagementClient(place.credential, place.subscriptionId, {
      endpoint: place.resourceManagerEndpoint,
      credentials: { scopes: ['https://management.azure.com/.default'] },
    })
    const common = { location: place.region, tags: { ...disks.tags } }
    const group = place.resourceGroup

    const createFromUpload = async (name: string, fill: (target: PageBlobClient) => Promise<void>): Promise<string> => {
      const creationData = { createOption: 'Upload', uploadSizeBytes: UPLOAD_BYTES }
      const { id = '' } = await compute.disks.createOrUpdate(group, name, { ...common, creationData }, POLLING)
      const { accessSAS = '' } = await compute.disks.grantAccess(group, name, { access: 'Write', durationInSeconds: 3600 }, POLLING)
      await fill(bySas(accessSAS))
      await compute.disks.revokeAccess(group, name, POLLING)
      return id
    }
    const readDisk = async (name: string): Promise<Buffer> => {
      const { accessSAS = '' } = await compute.disks.grantAccess(group, name, { access: 'Read', durationInSeconds: 3600 }, POLLING)
      const vhd = await bySas(accessSAS).downloadToBuffer()
      await compute.disks.revokeAccess(group, name, POLLING)
      return vhd.subarray(0, DISK_BYTES)
    }

    const sourceName = disks.freshName()
    const sourceId = await createFromUpload(sourceName, async (target) => {
      for (const offset of [0, 5 * MIB, DISK_BYTES - MIB]) await target.uploadPages(randomBytes(MIB), offset, MIB)
      await target.uploadPages(fixedVhdFooter(DISK_BYTES), DISK_BYTES, VHD_FOOTER_BYTES)
    })

    const snapshotName = disks.freshName()
    const creationData = { createOption: 'Copy', sourceResourceId: sourceId }
    await compute.snapshots.createOrUpdate(group, snapshotName, { ...common, incremental: true, creationData }, POLLING)
    const { accessSAS = '' } = await compute.snapshots.grantAccess(group, snapshotName, { access: 'Read', durationInSeconds: 3600 }, POLLING)
    const base = new PageBlobClient(`${blobs.containerUrl}/${blobs.freshName()}`, place.credential)
    await base.create(UPLOAD_BYTES)
    await copyRanges(bySas(accessSAS), base)
    await compute.snapshots.revokeAccess(group, snapshotName, POLLING)
    const { snapshot: snapshotTime = '' } = await base.createSnapshot({ metadata: { point: 'one' } })

    const signer = await createSigner(place, blobs.containerUrl)
    const restoredName = disks.freshName()
    await createFromUpload(restoredName, (target) => copyRanges(bySas(signer.sign(base.name, { snapshotTime })), target))
    expect((await readDisk(restoredName)).equals(await readDisk(sourceName))).toBe(true)
  })
})

/** The URL holds all the rights. */
function bySas(url: string): PageBlobClient {
  return new PageBlobClient(url, new AnonymousCredential())
}

async function copyRanges(source: PageBlobClient, target: PageBlobClient): Promise<void> {
  for await (const { start, end } of source.listPageRanges()) {
    for (let offset = start; offset <= end; offset += MAX_COPY_BYTES) {
      await target.uploadPagesFromURL(source.url, offset, offset, Math.min(MAX_COPY_BYTES, end + 1 - offset))
    }
  }
}
