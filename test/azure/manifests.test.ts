import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Manifest } from '../../domain/manifest.ts'
import { baseBlobName, chainPrefix, manifestName } from '../../domain/names.ts'
import { BaseBlob } from '../../azure/base-blob.ts'
import {
  deleteManifest,
  findManifest,
  listManifests,
  listPoints,
  readManifest,
  writeManifest,
} from '../../azure/manifests.ts'
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
    await writeManifest(scene.azure, scene.targetUrl, manifestName(chain, manifest.id), manifest)
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
  test('one is read as it was written, twice or not, and found only where it is', async () => {
    const { chain, manifests } = await aChain(1)
    const [manifest] = manifests as [Manifest]
    const blobName = manifestName(chain, manifest.id)
    await writeManifest(scene.azure, scene.targetUrl, blobName, manifest)
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

  test('a container that is not there is an error and not an empty list', async () => {
    const failure = await failureOf(listPoints(scene.azure, scene.targetUrl.replace(/target$/, 'missing')))
    expect(failure.type).toBe('TargetNotFound')
  })
})
