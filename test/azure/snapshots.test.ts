import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { MIB } from '../../domain/byte-range.ts'
import { requestOf, sourceSnapshotTags } from '../../domain/tags.ts'
import { getDisk } from '../../azure/disks.ts'
import { createIncrementalSnapshot, deleteSnapshot, findSnapshot, listSnapshots } from '../../azure/snapshots.ts'
import { collect, failureOf } from './support/clients.ts'
import { openScene, type Scene } from './support/local-azure.ts'

let scene: Scene

beforeAll(async () => {
  scene = await openScene({ settings: { pageSize: 3 } })
})
afterAll(() => scene.close())

async function aDisk(name: string) {
  const { id } = scene.local.createDisk({ name, sizeGib: 4 })
  return getDisk(scene.azure, id)
}

function specOf(disk: { id: string; uniqueId: string; location: string }, name: string, request = name) {
  const { id, uniqueId, location } = disk
  return {
    id: scene.idOf('snapshots', name),
    diskId: id,
    diskUniqueId: uniqueId,
    location,
    tags: sourceSnapshotTags({ targetKey: 't', diskUniqueId: uniqueId }, request),
  }
}

describe('snapshots', () => {
  test('an incremental snapshot has family, size and instant, and is readable', async () => {
    const disk = await aDisk('d1')
    const before = Date.now()
    const snapshot = await createIncrementalSnapshot(scene.azure, specOf(disk, 's1'))
    expect(snapshot).toMatchObject({
      isReadable: true,
      sizeBytes: 4096 * MIB,
      sourceUniqueId: disk.uniqueId,
      completionPercent: 100,
    })
    expect(snapshot.familyId).toBeTruthy()
    expect(Date.parse(snapshot.takenAt)).toBeGreaterThanOrEqual(before - 1)
  })

  test('a second call of the same request finds the first snapshot, not a second point in time', async () => {
    const disk = await aDisk('d2')
    const first = await createIncrementalSnapshot(scene.azure, specOf(disk, 's2'))
    await scene.local.writeDisk(disk.id, 0, Buffer.alloc(512, 1))
    const second = await createIncrementalSnapshot(scene.azure, {
      ...specOf(disk, 's2'),
      diskId: disk.id.toUpperCase(),
    })
    expect(second).toEqual(first)
  })

  test('two calls at the same time make one snapshot', async () => {
    const disk = await aDisk('d3')
    const both = await Promise.all([1, 2].map(() => createIncrementalSnapshot(scene.azure, specOf(disk, 's3'))))
    expect(both[0]?.uniqueId).toBe(both[1]?.uniqueId)
  })

  test('a snapshot of another request is not taken for ours', async () => {
    const disk = await aDisk('d4')
    await createIncrementalSnapshot(scene.azure, specOf(disk, 's4', 'run-1'))
    const failure = await failureOf(createIncrementalSnapshot(scene.azure, specOf(disk, 's4', 'run-2')))
    expect(failure).toMatchObject({ type: 'AzureRefused' })
  })

  test('a disk that was replaced since it was planned is noticed', async () => {
    const disk = await aDisk('d5')
    const spec = specOf({ ...disk, uniqueId: 'another' }, 's5')
    expect(await failureOf(createIncrementalSnapshot(scene.azure, spec))).toMatchObject({ type: 'SnapshotFailed' })
  })

  test('a missing disk, group and subscription are all a missing source', async () => {
    const disk = await aDisk('d6')
    for (const id of [
      scene.idOf('disks', 'none'),
      disk.id.replace('/local/', '/none/'),
      disk.id.replace(scene.local.subscriptionId, 'none'),
    ]) {
      expect(await failureOf(getDisk(scene.azure, id))).toMatchObject({ type: 'SourceDiskNotFound' })
    }
    expect(await findSnapshot(scene.azure, scene.idOf('snapshots', 'none'))).toBeUndefined()
  })

  test('a disk whose snapshots come too fast is throttled and not refused', async () => {
    scene.local.changeSettings({ enforceSnapshotRate: true, snapshotsPerFiveMinutes: 1 })
    try {
      const disk = await aDisk('d7')
      await createIncrementalSnapshot(scene.azure, specOf(disk, 's7a'))
      expect(await failureOf(createIncrementalSnapshot(scene.azure, specOf(disk, 's7b')))).toMatchObject({
        type: 'AzureThrottled',
      })
    } finally {
      scene.local.changeSettings({ enforceSnapshotRate: false })
    }
  })

  test('a list goes over all its pages, and a missing group has none', async () => {
    const disk = await aDisk('d8')
    for (let index = 0; index < 7; index += 1) await createIncrementalSnapshot(scene.azure, specOf(disk, `s8-${index}`))
    const scope = { subscriptionId: scene.local.subscriptionId, resourceGroup: 'local' }
    const ours = (await collect(listSnapshots(scene.azure, scope))).filter(({ id }) => /s8-\d$/.test(id))
    expect(ours).toHaveLength(7)
    expect(ours[0]).toMatchObject({ incremental: true, sourceResourceId: disk.id })
    expect(requestOf(ours[0]?.tags)).toBe('s8-0')
    expect(await collect(listSnapshots(scene.azure, { ...scope, resourceGroup: 'none' }))).toEqual([])
  })

  test('a missing right is named', async () => {
    const disk = await aDisk('d9')
    scene.local.assignRoles('reader', [{ actions: ['*/read'] }])
    const failure = await failureOf(createIncrementalSnapshot(scene.clientsOf('reader'), specOf(disk, 's9')))
    expect(failure).toMatchObject({
      type: 'AccessDenied',
      message: expect.stringContaining('Microsoft.Compute/snapshots/write'),
    })
  })

  test('deleting revokes access first, and twice is fine', async () => {
    const disk = await aDisk('d10')
    const { id } = await createIncrementalSnapshot(scene.azure, specOf(disk, 's10'))
    await scene.azure
      .compute(scene.local.subscriptionId)
      .snapshots.grantAccess('local', 's10', { access: 'Read', durationInSeconds: 600 })
    await deleteSnapshot(scene.azure, id)
    await deleteSnapshot(scene.azure, id)
    expect(await findSnapshot(scene.azure, id)).toBeUndefined()
    expect(scene.local.grantedAccess()).toEqual([])
  })
})
