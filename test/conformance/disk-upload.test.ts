/** Direct upload of a VHD into a new disk, and the way back out of it (azure-compute-docs: disks-upload-vhd-to-managed-disk). */
import { randomBytes } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { closedRange, pages, parsePageList } from './support/blobs.ts'
import { conformance } from './support/conformance.ts'
import { VHD_FOOTER_BYTES, type Resource } from './support/disks.ts'
import { createSigner } from './support/signatures.ts'
import { fixedVhdFooter } from './support/vhd-footer.ts'

const MIB = 2 ** 20
const DISK_BYTES = 20 * MIB
const UPLOAD_BYTES = DISK_BYTES + VHD_FOOTER_BYTES

conformance('disk upload', (ground) => {
  const createUpload = async (): Promise<Resource> => {
    const { disks } = ground()
    const name = disks.freshName()
    await disks.settle(await disks.putDisk(name, { creationData: { createOption: 'Upload', uploadSizeBytes: UPLOAD_BYTES } }))
    return disks.get(disks.idOf('disks', name))
  }
  const put = (url: string, offsetBytes: number, data: Buffer, headers: Record<string, string> = {}) =>
    ground().blobs.callUrl('PUT', `${url}&comp=page`, {
      authorization: 'none',
      headers: { 'x-ms-page-write': 'update', range: closedRange(offsetBytes, data.length), ...headers },
      body: data,
    })

  test('needs at least 20 MiB and a footer', async () => {
    const { disks } = ground()
    const tooSmall = { creationData: { createOption: 'Upload', uploadSizeBytes: UPLOAD_BYTES - 512 } }
    expect((await disks.putDisk(disks.freshName(), tooSmall)).status).toBe(400)
  })

  test('goes from ReadyToUpload by ActiveUpload to Unattached, and the disk holds what was written', async () => {
    const { disks, blobs } = ground()
    const disk = await createUpload()
    expect(disk.properties.diskState).toBe('ReadyToUpload')
    const url = await disks.grant(disk.id, 'Write')
    expect((await disks.get(disk.id)).properties.diskState).toBe('ActiveUpload')

    const data = randomBytes(64 * 1024)
    expect(await put(url, 3 * MIB, data)).toMatchObject({ status: 201 })
    expect(await put(url, DISK_BYTES, fixedVhdFooter(DISK_BYTES))).toMatchObject({ status: 201 })
    await disks.revoke(disk.id)
    expect((await disks.get(disk.id)).properties).toMatchObject({ diskState: 'Unattached', diskSizeBytes: DISK_BYTES })

    const snapshot = await disks.createSnapshot(disk.id)
    const exported = await disks.grant(snapshot.id)
    const read = (headers: Record<string, string>, query = '') =>
      blobs.callUrl('GET', `${exported}${query}`, { authorization: 'none', headers })
    expect((await read({ range: closedRange(3 * MIB, data.length) })).body.equals(data)).toBe(true)
    expect((await read({ range: closedRange(0, 4 * MIB) })).body.subarray(0, 3 * MIB).every((byte) => byte === 0)).toBe(true)
    expect(parsePageList(await read({}, '&comp=pagelist')).ranges.length).toBeGreaterThan(0)
  })

  test('takes server-side copies, not a Content-MD5, nothing beyond its length, and no reader', async () => {
    const { disks, blobs, place } = ground()
    const signer = await createSigner(place, blobs.containerUrl)
    const source = await blobs.createPageBlob(512)
    await blobs.putPages(source, 0, pages(5))
    const url = await disks.grant((await createUpload()).id, 'Write')
    const copied = await blobs.callUrl('PUT', `${url}&comp=page`, {
      authorization: 'none',
      headers: {
        'x-ms-page-write': 'update',
        'x-ms-copy-source': signer.sign(source),
        'x-ms-range': closedRange(MIB, 512),
        'x-ms-source-range': closedRange(0, 512),
      },
    })
    expect(copied.status).toBe(201)
    expect((await put(url, 0, pages(1), { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' })).status).toBe(400)
    expect(await put(url, UPLOAD_BYTES, pages(1))).toMatchObject({ status: 416, code: 'InvalidPageRange' })
  })

  test('gives no read access before it has ended', async () => {
    const { disks } = ground()
    const disk = await createUpload()
    await expect(disks.grant(disk.id, 'Read')).rejects.toThrow()
  })
})
