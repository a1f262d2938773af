/** User-delegation SAS of blobs and snapshots (REST: create-user-delegation-sas). Those of disks: disk-export.test.ts. */
import { beforeAll, expect, test } from '@jest/globals'
import { closedRange, pages } from './support/blobs.ts'
import { conformance } from './support/conformance.ts'
import type { Answer, Method } from './support/rest.ts'
import { createSigner, type Signer } from './support/signatures.ts'

conformance('shared access signatures', (ground) => {
  let signer: Signer
  beforeAll(async () => {
    signer = await createSigner(ground().place, ground().blobs.containerUrl)
  })

  const bySas = (method: Method, url: string, headers: Record<string, string> = {}, body?: Buffer): Promise<Answer> =>
    ground().blobs.callUrl(method, url, { authorization: 'none', headers, ...(body === undefined ? {} : { body }) })
  const write = { 'x-ms-page-write': 'update', range: closedRange(0, 512) }

  test('for reading let read and not write', async () => {
    const name = await ground().blobs.createPageBlob(512)
    const url = signer.sign(name)
    expect(await bySas('GET', url)).toMatchObject({ status: 200 })
    expect(await bySas('GET', `${url}&comp=pagelist`)).toMatchObject({ status: 200 })
    expect(await bySas('PUT', `${url}&comp=page`, write, pages(1))).toMatchObject({ status: 403, code: 'AuthorizationPermissionMismatch' })
  })

  test('for writing let write and not read', async () => {
    const name = await ground().blobs.createPageBlob(512)
    const url = signer.sign(name, { permissions: 'w' })
    expect(await bySas('PUT', `${url}&comp=page`, write, pages(1))).toMatchObject({ status: 201 })
    expect(await bySas('GET', url)).toMatchObject({ status: 403, code: 'AuthorizationPermissionMismatch' })
  })

  test('are for the blob they name', async () => {
    const { blobs } = ground()
    const [mine, other] = [await blobs.createPageBlob(512), await blobs.createPageBlob(512)]
    const url = signer.sign(mine).replace(mine, other)
    expect(await bySas('GET', url)).toMatchObject({ status: 403, code: 'AuthenticationFailed' })
  })

  test('of a snapshot open neither the base nor, without its snapshot=, anything', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    const snapshotTime = await blobs.snapshot(name)
    const url = signer.sign(name, { snapshotTime })
    expect(await bySas('GET', url)).toMatchObject({ status: 200 })
    const withoutSnapshot = url.replace(/snapshot=[^&]*&/, '')
    expect(withoutSnapshot).not.toBe(url)
    expect(await bySas('GET', withoutSnapshot)).toMatchObject({ status: 403, code: 'AuthenticationFailed' })
  })

  test('that have ended, not begun, or been changed are refused', async () => {
    const name = await ground().blobs.createPageBlob(512)
    const minutesFromNow = (minutes: number): Date => new Date(Date.now() + minutes * 60_000)
    const refused = { status: 403, code: 'AuthenticationFailed' }
    expect(await bySas('GET', signer.sign(name, { expiresOn: minutesFromNow(-20) }))).toMatchObject(refused)
    expect(await bySas('GET', signer.sign(name, { startsOn: minutesFromNow(20) }))).toMatchObject(refused)
    expect(await bySas('GET', signer.sign(name).replace('sp=r', 'sp=rw'))).toMatchObject(refused)
  })

  test('are needed where there is no token', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    const { status } = await bySas('GET', `${blobs.containerUrl}/${name}`)
    // By the account's settings: no public access (401, 409), or none to this container (404).
    expect([401, 404, 409]).toContain(status)
  })
})
