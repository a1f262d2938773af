import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Manifest } from '../../domain/manifest.ts'
import type { PointCheck } from '../../domain/point-check.ts'
import { baseBlobName, chainPrefix, checkName, manifestName } from '../../domain/names.ts'
import { BaseBlob } from '../../azure/base-blob.ts'
import { createManifest, deleteManifest, findManifest, listManifests, listPoints, readManifest } from '../../azure/manifests.ts'
import { updateCheck } from '../../azure/point-checks.ts'
import { collect, failureOf } from './support/clients.ts'
import { openScene, type Scene } from './support/local-azure.ts'

let scene: Scene
let serial = 0
let diskId: string

beforeAll(async () => {
  scene = await openScene({ blobLimits: { maxListItems: 5 } })
})
afterAll(() => scene.close())
beforeEach(() => {
  diskId = scene.idOf('disks', `disk-${(serial += 1)}`)
})

/** A chain with that many points, each a blob snapshot and a manifest. */
async function aChain(pointCount: number): Promise<{ chain: string; blob: BaseBlob; manifests: Manifest[] }> {
  const uniqueId = `u-${serial}`
  const chain = chainPrefix(diskId, uniqueId)
  const blob = new BaseBlob(scene.azure, scene.targetUrl, baseBlobName(diskId, uniqueId))
  await blob.create(1024, { diskId, diskUniqueId: uniqueId, condition: 'clean', runKey: 'r' })
  const manifests: Manifest[] = []
  for (let index = 0; index < pointCount; index += 1) {
    const { snapshot } = await blob.snapshot({}, (await blob.properties())!.etag)
    const manifest = manifestOf(blob.name, uniqueId, `point-${String(index).padStart(3, '0')}`, snapshot)
    await createManifest(scene.azure, scene.targetUrl, manifestName(chain, manifest.id), manifest)
    manifests.push(manifest)
  }
  return { chain, blob, manifests }
}

function manifestOf(blobName: string, uniqueId: string, id: string, snapshot: string): Manifest {
  return {
    format: 1,
    id,
    kind: 'full',
    reseedCause: null,
    takenAt: '2026-11-22T10:15:00Z',
    sealedAt: '2026-11-22T10:20:00Z',
    disk: { id: diskId, uniqueId, name: 'd', location: 'westeurope', shape: { logicalSectorBytes: 512 } },
    sizeBytes: 512,
    baseBlob: { name: blobName, sizeBytes: 1024, snapshot },
    source: { snapshotId: 's', snapshotUniqueId: 'su' },
    run: { key: 'r', workflowId: 'w', epoch: 1 },
    changedBytes: 0,
    clearedBytes: 0,
    movedBytes: 0,
    requests: 0,
    seconds: 1,
    verification: { result: 'passed', rounds: 1, writtenBytes: 0, comparedBytes: 0 },
    writtenBy: 'test',
  }
}

describe('manifests', () => {
  test('one is read as it was first written, and found only where it is', async () => {
    const { chain, manifests } = await aChain(1)
    const [manifest] = manifests as [Manifest]
    const blobName = manifestName(chain, manifest.id)
    expect(await createManifest(scene.azure, scene.targetUrl, blobName, { ...manifest, movedBytes: 512 })).toEqual(manifest)
    expect(await readManifest(scene.azure, scene.targetUrl, blobName)).toEqual(manifest)
    expect(await findManifest(scene.azure, scene.targetUrl, chain, manifest.id)).toEqual(manifest)
    expect(await findManifest(scene.azure, scene.targetUrl, chain, 'none')).toBeUndefined()
    await deleteManifest(scene.azure, scene.targetUrl, blobName)
    await deleteManifest(scene.azure, scene.targetUrl, blobName)
    expect(await failureOf(readManifest(scene.azure, scene.targetUrl, blobName))).toMatchObject({
      type: 'PointNotFound',
    })
  })

  test('a list goes over all its pages and names nothing else', async () => {
    const { chain } = await aChain(12)
    const all = await collect(listManifests(scene.azure, scene.targetUrl, { diskId }))
    expect(all.map(({ pointId }) => pointId)).toEqual(
      Array.from({ length: 12 }, (_, index) => `point-${String(index).padStart(3, '0')}`),
    )
    expect(await collect(listManifests(scene.azure, scene.targetUrl, { chain }))).toEqual(all)
  })
})

describe('listPoints', () => {
  test('more points than are read at once all come, in order', async () => {
    const { manifests } = await aChain(40)
    const { points, damaged } = await listPoints(scene.azure, scene.targetUrl, { diskId })
    expect(points).toEqual(manifests)
    expect(damaged).toEqual([])
  })

  test('a point whose snapshot is gone is damaged, and the others still come', async () => {
    const { blob, manifests, chain } = await aChain(3)
    await blob.deleteSnapshot(manifests[1]!.baseBlob.snapshot)
    const { points, damaged } = await listPoints(scene.azure, scene.targetUrl, { diskId })
    expect(points.map(({ id }) => id)).toEqual(['point-000', 'point-002'])
    expect(damaged).toEqual([
      { blobName: manifestName(chain, 'point-001'), reason: expect.stringContaining('is gone') },
    ])
  })

  test('a manifest that is broken, of a newer format or of another point is damaged, and the others still come', async () => {
    const { chain, manifests } = await aChain(1)
    const container = scene.azure.container(scene.targetUrl)
    const texts = { broken: '{"format": 1', newer: '{"format": 99}', other: JSON.stringify(manifests[0]) }
    for (const [name, text] of Object.entries(texts)) {
      await container.getBlockBlobClient(manifestName(chain, name)).upload(text, text.length)
    }
    const { points, damaged } = await listPoints(scene.azure, scene.targetUrl, { diskId })
    expect(points).toEqual(manifests)
    expect(damaged.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('not JSON'),
      expect.stringContaining('format 99'),
      expect.stringContaining('another point, point-000'),
    ])
  })

  test('what Azure will not read of one point is told of that point alone: its manifest as damaged, its check as suspect', async () => {
    const { chain, manifests } = await aChain(3)
    const sound: PointCheck = { format: 1, pointId: 'point-001', verified: { level: 'full', at: '2026-11-23T00:00:00Z', comparedBytes: 1 } }
    for (const pointId of ['point-001', 'point-002']) {
      await updateCheck(scene.azure, scene.targetUrl, { chain, pointId }, () => ({ ...sound, pointId }))
    }
    const archived = [manifestName(chain, 'point-000'), checkName(chain, 'point-002')]
    const effect = { kind: 'status', status: 409, code: 'BlobArchived' } as const
    const rules = archived.map((name) => scene.local.faults.add({ operation: 'GetBlob', resource: `*/${name}`, effect }))
    const { points, damaged, checks } = await listPoints(scene.azure, scene.targetUrl, { diskId })
    rules.forEach((rule) => scene.local.faults.remove(rule))
    expect(points).toEqual(manifests.slice(1))
    const reason = expect.stringMatching(/BlobArchived.*rehydrate the blob to the Hot tier.*lifecycle rules/)
    expect(damaged).toEqual([{ blobName: archived[0], reason }])
    expect([...checks.keys()]).toEqual(['point-001', 'point-002'])
    expect(checks.get('point-001')).toEqual(sound)
    expect(checks.get('point-002')?.suspect).toMatchObject({ unreadable: reason })
  })

  test('a right that is missing hides no point: it is an error', async () => {
    const { chain } = await aChain(2)
    const effect = { kind: 'status', status: 403, code: 'AuthorizationPermissionMismatch' } as const
    const rule = scene.local.faults.add({ operation: 'GetBlob', resource: `*/${manifestName(chain, 'point-000')}`, effect })
    const failure = await failureOf(listPoints(scene.azure, scene.targetUrl, { diskId }))
    scene.local.faults.remove(rule)
    expect(failure.type).toBe('AccessDenied')
  })

  test('a container that is not there is an error and not an empty list', async () => {
    const failure = await failureOf(listPoints(scene.azure, scene.targetUrl.replace(/target$/, 'missing')))
    expect(failure.type).toBe('TargetNotFound')
  })
})
