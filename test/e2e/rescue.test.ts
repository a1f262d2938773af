/** Restores with nothing but the storage account: Temporal does not answer, and the source region is gone. */
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { BaseBlob } from '../../azure/base-blob.ts'
import { findDisk } from '../../azure/disks.ts'
import { GIB, MIB } from '../../domain/byte-range.ts'
import { pointBlobsOf, type Manifest } from '../../domain/manifest.ts'
import { manifestName, parseBaseBlobName } from '../../domain/names.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { blobBytesOf } from '../../domain/source-disk.ts'
import { createFaults, offlineCli } from '../support/offline-cli.ts'
import { createRandomDisk, noise } from '../support/random-disk.ts'
import { openScene, TARGET_REGION, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const MANIFESTS = new URL('../manifests/', import.meta.url)

const faults = createFaults()
let scene: Scene
let cli: ReturnType<typeof offlineCli>
let diskId: string
/** Oldest first. */
const points: { readonly id: string; readonly sha256: string }[] = []

beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ blobHooks: faults.hooks })
  cli = offlineCli(scene)
  scene.azure.createResourceGroup({ name: 'restored', location: TARGET_REGION })
  diskId = scene.createDisk(1, 'lost')
  const disk = createRandomDisk(scene.azure, diskId, 64 * MIB, SEED)
  for (let round = 0; round < 2; round++) {
    await disk.change(20)
    await scene.azure.writeDisk(diskId, 128 * MIB, noise(32 * MIB, seededRandom(SEED + round)))
    const { sha256 } = await scene.azure.digestDisk(diskId)
    points.push({ id: (await scene.backUp(diskId)).point.id, sha256 })
  }
  for (const name of await scene.sourceSnapshots()) {
    scene.azure.deleteSnapshot(diskId.replace(/disks\/[^/]+$/, `snapshots/${name}`))
  }
  scene.azure.deleteDisk(diskId)
}, 120_000)
afterAll(() => scene?.close())
beforeEach(() => faults.clear())

const restoreArgs = (toDiskId: string, ...point: string[]) =>
  ['rescue', 'restore', '--target', scene.targetUrl, '--to-disk', toDiskId, '--region', TARGET_REGION].concat(point)

describe('with Temporal and the source region gone', () => {
  test('all points are listed, newest first', async () => {
    const { exitCode, stdout, stderr } = await cli('rescue', 'list', '--target', scene.targetUrl, '--json')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect((JSON.parse(stdout) as { id: string }[]).map(({ id }) => id)).toEqual(points.map(({ id }) => id).reverse())
  })

  test('a point is shown with all that a restore needs', async () => {
    const [point] = await scene.points()
    const shown = await cli('rescue', 'show', '--target', scene.targetUrl, '--disk', diskId, '--json')
    expect(JSON.parse(shown.stdout)).toEqual(point)
    const { stdout } = await cli('rescue', 'show', '--target', scene.targetUrl, '--point', point!.id)
    for (const fact of [point!.id, point!.disk.id, point!.baseBlob.snapshot, '1.00 GiB']) expect(stdout).toContain(fact)
  })

  test('every point is restored byte for byte, with nothing left open', async () => {
    for (const { id, sha256 } of points) {
      const toDiskId = scene.freshDiskId()
      const { exitCode, stdout, stderr } = await cli(...restoreArgs(toDiskId, '--point', id))
      expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`holds point ${id}`) })
      expect(stderr).toContain('transfer')
      expect((await scene.azure.digestDisk(toDiskId)).sha256).toBe(sha256)
    }
    expect(scene.azure.grantedAccess()).toEqual([])
  }, 60_000)

  test('the newest point of a disk is found by the disk', async () => {
    const toDiskId = scene.freshDiskId()
    const { exitCode, stdout } = await cli(...restoreArgs(toDiskId, '--disk', diskId), '--json')
    expect({ exitCode, result: JSON.parse(stdout) }).toMatchObject({
      exitCode: 0,
      result: { resourceId: toDiskId, point: { id: points.at(-1)!.id } },
    })
  })

  test.each(readdirSync(MANIFESTS).filter((name) => name.endsWith('.json') && !name.includes('copied')))(
    'a point whose manifest is a released %s is restored',
    async (sample) => {
      const released = JSON.parse(readFileSync(new URL(sample, MANIFESTS), 'utf8')) as Manifest
      const blobBytes = blobBytesOf(released.sizeBytes)
      const unitBytes = released.stripes?.unitBytes ?? blobBytes
      const blobs = pointBlobsOf(released)
      const clients = blobs.map(({ name }) => scene.clients.container(scene.targetUrl).getPageBlobClient(name))
      for (const [stripe, { sizeBytes }] of blobs.entries()) await clients[stripe]!.create(sizeBytes)
      const [last] = await scene.points(diskId)
      const footer = await new BaseBlob(scene.clients, scene.targetUrl, last!.baseBlob.name).read(
        { startBytes: blobBytes - 512, endBytes: blobBytes },
        last!.baseBlob.snapshot,
      )
      const data = noise(4 * MIB, seededRandom(SEED + 9))
      // By hand, as the manifest's description says: units in turn, over the border of one.
      const write = async (offsetBytes: number, bytes: Buffer): Promise<void> => {
        const unit = Math.floor(offsetBytes / unitBytes)
        const inBlob = Math.floor(unit / blobs.length) * unitBytes + (offsetBytes % unitBytes)
        await clients[unit % blobs.length]!.uploadPages(bytes, inBlob, bytes.length)
      }
      await write(14 * MIB, data.subarray(0, 2 * MIB))
      await write(16 * MIB, data.subarray(2 * MIB))
      await write(blobBytes - 512, footer)
      const made = await Promise.all(
        blobs.map(async (blob, stripe) => ({ ...blob, snapshot: (await clients[stripe]!.createSnapshot()).snapshot! })),
      )
      const text = JSON.stringify({
        ...released,
        baseBlob: made[0],
        ...(released.stripes && { stripes: { ...released.stripes, blobs: made } }),
      })
      const manifest = manifestName(parseBaseBlobName(released.baseBlob.name)!, released.id)
      await scene.clients.container(scene.targetUrl).getBlockBlobClient(manifest).upload(text, Buffer.byteLength(text))

      const toDiskId = scene.freshDiskId()
      const { exitCode, stderr } = await cli(...restoreArgs(toDiskId, '--point', released.id))
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('no guest state') })
      expect((await scene.azure.readDisk(toDiskId, 14 * MIB, data.length)).equals(data)).toBe(true)
      expect(await findDisk(scene.clients, toDiskId)).toMatchObject({ tags: { 'cost centre': 'größer' } })
    },
  )
})

describe('a restore that does not come to its end takes its disk away again', () => {
  const expectNothingLeft = async (toDiskId: string): Promise<void> => {
    expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()
    expect(scene.azure.grantedAccess()).toEqual([])
  }

  test('on Ctrl-C', async () => {
    const toDiskId = scene.freshDiskId()
    faults.afterRequests('PutPageFromUrl', 3, () => void process.emit('SIGINT'))
    const { exitCode, stderr } = await cli(...restoreArgs(toDiskId, '--point', points[0]!.id))
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('nothing was handed over') })
    await expectNothingLeft(toDiskId)
  })

  test('when the point is deleted in mid-restore', async () => {
    const toDiskId = scene.freshDiskId()
    const [, oldest] = await scene.points(diskId)
    const blob = new BaseBlob(scene.clients, scene.targetUrl, oldest!.baseBlob.name)
    const copy = await blob.snapshot({}, (await blob.properties())!.etag)
    const doomed = { ...oldest!, id: '20260101T000000Z-000000000000', baseBlob: { ...oldest!.baseBlob, snapshot: copy.snapshot } }
    const name = manifestName(parseBaseBlobName(blob.name)!, doomed.id)
    const text = JSON.stringify(doomed)
    const client = scene.clients.container(scene.targetUrl).getBlockBlobClient(name)
    await client.upload(text, Buffer.byteLength(text))
    faults.afterRequests('PutPageFromUrl', 3, () => blob.deleteSnapshot(copy.snapshot))
    const { exitCode, stderr } = await cli(...restoreArgs(toDiskId, '--point', doomed.id))
    await client.delete()
    expect({ exitCode, stderr }).toEqual({ exitCode: 4, stderr: expect.stringContaining(`snapshot ${copy.snapshot} of `) })
    expect(stderr).toContain('"snapferry points list" shows what there is')
    await expectNothingLeft(toDiskId)
  }, 60_000)

  test('but a disk that was there before stays as it was', async () => {
    const existing = scene.createDisk(1, 'innocent')
    await scene.azure.writeDisk(existing, 0, noise(MIB, seededRandom(SEED)))
    const { sha256 } = await scene.azure.digestDisk(existing)
    const { exitCode, stderr } = await cli(...restoreArgs(existing, '--point', points[0]!.id))
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 7, stderr: expect.stringContaining('nothing was made') })
    expect(await findDisk(scene.clients, existing)).toMatchObject({ state: 'Unattached' })
    expect((await scene.azure.digestDisk(existing)).sha256).toBe(sha256)
  })

  test('nor is a disk of others used that waits for its upload and is too small', async () => {
    const id = scene.freshDiskId()
    const creationData = { createOption: 'Upload', uploadSizeBytes: GIB + 512 }
    const body = { location: TARGET_REGION, creationData, tags: { owner: 'somebody else' } }
    await scene.clients.compute(scene.azure.subscriptionId).disks.createOrUpdate('restored', id.split('/').at(-1)!, body)
    const larger = scene.createDisk(2, 'larger')
    const { point } = await scene.backUp(larger)
    const { exitCode, stderr } = await cli(...restoreArgs(id, '--point', point.id))
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 7, stderr: expect.stringContaining('exists already') })
    expect(await findDisk(scene.clients, id)).toMatchObject({ state: 'ReadyToUpload', sizeBytes: GIB, tags: { owner: 'somebody else' } })
  })
})
