/** Leases of blobs (REST: lease-blob). */
import { randomUUID } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { pages } from './support/blobs.ts'
import { conformance } from './support/conformance.ts'

conformance('leases', (ground) => {
  const lease = (name: string, action: string, headers: Record<string, string> = {}) =>
    ground().blobs.call('PUT', `${name}?comp=lease`, { 'x-ms-lease-action': action, ...headers })
  const acquire = (name: string, id: string, durationSeconds = 60) =>
    lease(name, 'acquire', { 'x-ms-lease-duration': String(durationSeconds), 'x-ms-proposed-lease-id': id })

  test('last 15 to 60 seconds or for ever', async () => {
    const name = await ground().blobs.createPageBlob(512)
    const id = randomUUID()
    for (const durationSeconds of [14, 61, 0]) expect(await acquire(name, id, durationSeconds)).toMatchObject({ status: 400 })
    for (const durationSeconds of [15, 60, -1]) expect(await acquire(name, id, durationSeconds)).toMatchObject({ status: 201 })
  })

  test('have the id that was proposed, and no one else gets one meanwhile', async () => {
    const name = await ground().blobs.createPageBlob(512)
    const id = randomUUID()
    expect(await acquire(name, id)).toMatchObject({ status: 201, headers: { 'x-ms-lease-id': id } })
    expect(await acquire(name, randomUUID())).toMatchObject({ status: 409, code: 'LeaseAlreadyPresent' })
    expect(await acquire(name, id, 30)).toMatchObject({ status: 201 })
  })

  test('refuse writes without their id and with another, not reads', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    const id = randomUUID()
    await acquire(name, id)
    expect(await blobs.putPages(name, 0, pages(1))).toMatchObject({ status: 412, code: 'LeaseIdMissing' })
    const other = { 'x-ms-lease-id': randomUUID() }
    expect(await blobs.putPages(name, 0, pages(1), other)).toMatchObject({ status: 412, code: 'LeaseIdMismatchWithBlobOperation' })
    expect(await blobs.call('DELETE', name)).toMatchObject({ status: 412, code: 'LeaseIdMissing' })
    expect(await blobs.putPages(name, 0, pages(1), { 'x-ms-lease-id': id })).toMatchObject({ status: 201 })
    expect(await blobs.pageList(name)).toEqual(['P 0-511'])
  })

  test('a write with an id where there is no lease is refused', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    const written = await blobs.putPages(name, 0, pages(1), { 'x-ms-lease-id': randomUUID() })
    expect(written).toMatchObject({ status: 412, code: 'LeaseNotPresentWithBlobOperation' })
  })

  test('do not stop a snapshot that names no lease, but one that names another', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    await acquire(name, randomUUID())
    expect(await blobs.call('PUT', `${name}?comp=snapshot`)).toMatchObject({ status: 201 })
    expect(await blobs.call('PUT', `${name}?comp=snapshot`, { 'x-ms-lease-id': randomUUID() })).toMatchObject({ status: 412 })
  })

  test('are renewed, changed and released by their id only', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    const [first, second, other] = [randomUUID(), randomUUID(), randomUUID()]
    await acquire(name, first)
    const mismatch = { status: 409, code: 'LeaseIdMismatchWithLeaseOperation' }
    expect(await lease(name, 'renew', { 'x-ms-lease-id': other })).toMatchObject(mismatch)
    expect(await lease(name, 'renew', { 'x-ms-lease-id': first })).toMatchObject({ status: 200 })
    expect(await lease(name, 'change', { 'x-ms-lease-id': first, 'x-ms-proposed-lease-id': second })).toMatchObject({ status: 200 })
    expect(await lease(name, 'release', { 'x-ms-lease-id': first })).toMatchObject(mismatch)
    expect(await lease(name, 'release', { 'x-ms-lease-id': second })).toMatchObject({ status: 200 })
    expect((await blobs.call('HEAD', name)).headers['x-ms-lease-state']).toBe('available')
  })

  test('are broken without an id: at once by a period of 0, and not to be renewed then', async () => {
    const { blobs } = ground()
    const name = await blobs.createPageBlob(512)
    const id = randomUUID()
    await acquire(name, id, -1)
    expect(await lease(name, 'break', { 'x-ms-lease-break-period': '30' })).toMatchObject({ status: 202 })
    expect((await blobs.call('HEAD', name)).headers['x-ms-lease-state']).toBe('breaking')
    expect(await blobs.putPages(name, 0, pages(1))).toMatchObject({ status: 412 })
    expect(await lease(name, 'break', { 'x-ms-lease-break-period': '0' })).toMatchObject({ status: 202, headers: { 'x-ms-lease-time': '0' } })
    expect((await blobs.call('HEAD', name)).headers['x-ms-lease-state']).toBe('broken')
    expect(await lease(name, 'renew', { 'x-ms-lease-id': id })).toMatchObject({ status: 409, code: 'LeaseIsBrokenAndCannotBeRenewed' })
    expect(await blobs.putPages(name, 0, pages(1))).toMatchObject({ status: 201 })
  })
})
