/** Disks and incremental snapshots in the resource manager (REST: compute disks, snapshots). */
import { expect, test } from '@jest/globals'
import { conformance } from './support/conformance.ts'
import { COMPUTE_VERSION, RUN_TAG } from './support/disks.ts'
import { callArm, send } from './support/rest.ts'

conformance('disks and snapshots', (ground) => {
  test('a new disk is unattached, has the size asked for and an identity of its own', async () => {
    const { disks, place } = ground()
    const disk = await disks.createEmptyDisk(4)
    expect(disk).toMatchObject({ location: place.region, tags: { [RUN_TAG]: expect.any(String) } })
    expect(disk.properties).toMatchObject({ diskState: 'Unattached', diskSizeGB: 4, diskSizeBytes: 4 * 2 ** 30, provisioningState: 'Succeeded' })
    expect(disk.properties.uniqueId).not.toBe('')
  })

  test('disks grow and never shrink', async () => {
    const { disks } = ground()
    const { id } = await disks.createEmptyDisk(4)
    await disks.settle(await disks.arm('PATCH', id, { properties: { diskSizeGB: 8 } }))
    expect((await disks.get(id)).properties.diskSizeGB).toBe(8)
    const shrink = await disks.arm('PATCH', id, { properties: { diskSizeGB: 4 } })
    expect(shrink.status).toBeGreaterThanOrEqual(400)
    expect(shrink.status).toBeLessThan(500)
  })

  test('incremental snapshots of a disk are one family and name the disk they are of', async () => {
    const { disks } = ground()
    const disk = await disks.createEmptyDisk()
    const first = await disks.createSnapshot(disk.id)
    const second = await disks.createSnapshot(disk.id)
    expect(first.properties).toMatchObject({ incremental: true, provisioningState: 'Succeeded', completionPercent: 100 })
    expect(first.properties.creationData.sourceUniqueId).toBe(disk.properties.uniqueId)
    expect(first.properties.creationData.sourceResourceId?.toLowerCase()).toBe(disk.id.toLowerCase())
    expect(first.properties.incrementalSnapshotFamilyId).toBeTruthy()
    expect(second.properties.incrementalSnapshotFamilyId).toBe(first.properties.incrementalSnapshotFamilyId)
    expect(second.properties.timeCreated > first.properties.timeCreated).toBe(true)
    expect(second.properties.uniqueId).not.toBe(first.properties.uniqueId)
    expect(first.sku.name).toMatch(/^Standard_[LZ]RS$/)
  })

  test('a disk made again under the same name is another disk and another family', async () => {
    const { disks } = ground()
    const before = await disks.createEmptyDisk()
    const ofBefore = await disks.createSnapshot(before.id)
    await disks.settle(await disks.arm('DELETE', before.id))
    await disks.settle(await disks.putDisk(before.name, { creationData: { createOption: 'Empty' }, diskSizeGB: 1 }))
    const after = await disks.get(before.id)
    expect(after.properties.uniqueId).not.toBe(before.properties.uniqueId)
    const ofAfter = await disks.createSnapshot(after.id)
    expect(ofAfter.properties.incrementalSnapshotFamilyId).not.toBe(ofBefore.properties.incrementalSnapshotFamilyId)
  })

  test('a repeated PUT of a snapshot takes no second point in time', async () => {
    const { disks } = ground()
    const disk = await disks.createEmptyDisk()
    const made = await disks.createSnapshot(disk.id)
    await disks.settle(await disks.putSnapshot(made.name, disk.id))
    const { properties } = await disks.get(made.id)
    expect([properties.timeCreated, properties.uniqueId]).toEqual([made.properties.timeCreated, made.properties.uniqueId])
  })

  test('a snapshot outlives its disk and the snapshots before it', async () => {
    const { disks } = ground()
    const disk = await disks.createEmptyDisk()
    const [older, newer] = [await disks.createSnapshot(disk.id), await disks.createSnapshot(disk.id)]
    await disks.settle(await disks.arm('DELETE', disk.id))
    await disks.settle(await disks.arm('DELETE', older.id))
    expect((await disks.get(newer.id)).properties.provisioningState).toBe('Succeeded')
  })

  test('a snapshot of no disk, of another region, or by a bad name is refused', async () => {
    const { disks, place } = ground()
    const disk = await disks.createEmptyDisk()
    expect((await disks.putSnapshot(disks.freshName(), disks.idOf('disks', 'no-such-disk'))).status).toBe(404)
    const elsewhere = await disks.putSnapshot(disks.freshName(), disk.id, { location: place.otherRegion })
    expect([400, 409]).toContain(elsewhere.status)
    expect((await disks.putSnapshot('a'.repeat(81), disk.id)).status).toBe(400)
    expect((await disks.putSnapshot('white%20space', disk.id)).status).toBe(400)
  })

  test('tags are replaced by PATCH, and names are found in any case', async () => {
    const { disks } = ground()
    const disk = await disks.createEmptyDisk()
    const tags = { ...disk.tags, purpose: 'conformance' }
    await disks.settle(await disks.arm('PATCH', disk.id, { tags }))
    expect((await disks.get(disk.id.toUpperCase())).tags).toEqual(tags)
  })

  test('a list has what was made', async () => {
    const { disks } = ground()
    const disk = await disks.createEmptyDisk()
    const made = await disks.createSnapshot(disk.id)
    const names = (await disks.list('snapshots')).map(({ name }) => name)
    expect(names).toContain(made.name)
  })

  test('what is not there is 404 to read and 204 to delete', async () => {
    const { disks } = ground()
    const id = disks.idOf('snapshots', 'no-such-snapshot')
    expect(await disks.arm('GET', id)).toMatchObject({ status: 404, code: 'ResourceNotFound' })
    expect(await disks.arm('DELETE', id)).toMatchObject({ status: 204 })
  })

  test('a request needs a token and an api-version', async () => {
    const { disks, place } = ground()
    const url = `${place.resourceManagerEndpoint}${disks.idOf('disks', 'any')}`
    const withoutToken = await send('GET', `${url}?api-version=${COMPUTE_VERSION}`, {})
    expect(withoutToken.status).toBe(401)
    expect(withoutToken.headers['www-authenticate']).toMatch(/^Bearer /)
    expect(await callArm(place.credential, 'GET', url)).toMatchObject({ status: 400, code: 'MissingApiVersionParameter' })
  })
})
