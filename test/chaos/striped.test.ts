/** Backups over several stripes: crashes at many calls, late writes, other layouts; every point is held against what the disk held. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { BaseBlob } from '../../azure/base-blob.ts'
import { getDisk } from '../../azure/disks.ts'
import { FencedBlob } from '../../azure/fenced-blob.ts'
import { listPoints } from '../../azure/manifests.ts'
import { listStripes } from '../../azure/stripe-lists.ts'
import { cut, GIB, MAX_WRITE_BYTES, MIB, PAGE_BYTES } from '../../domain/byte-range.ts'
import { isCopied, pointBlobsOf, type Manifest } from '../../domain/manifest.ts'
import { baseBlobName, stripeBlobName } from '../../domain/names.ts'
import { DEFAULT_OPTIONS } from '../../domain/policy.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { VHD_FOOTER_BYTES } from '../../domain/source-disk.ts'
import { hasVhdCookie } from '../../domain/vhd-footer.ts'
import { openBaseBlob } from '../../engine/open-base-blob.ts'
import { planRun } from '../../engine/plan-run.ts'
import { pointBlobOf, pointContentOf } from '../../engine/restore-job.ts'
import { SEED } from '../faults/reliability-report.ts'
import { createRandomDisk, noise } from '../support/random-disk.ts'
import { openChaosScene, type ChaosScene, type Lane } from './chaos-scene.ts'
import { backUpInProcess, type BackupRunOptions } from './in-process-backup.ts'
import { someCrashes } from './some-crashes.ts'

/** Six units, so that every one of four stripes has some. */
const REACH_BYTES = 96 * MIB
const STRIPES = 4

let scene: ChaosScene
let lane: Lane
let requests = 0
/** What the disk held when a source snapshot was taken, by its `uniqueId`. */
let contents: Map<string, Buffer>
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openChaosScene()
})
afterAll(() => scene?.close())
beforeEach(async () => {
  lane = await scene.openLane()
  lane.createDisk(1)
  contents = new Map()
  await change(0)
})
afterEach(() => lane.close())

/** Random changes, and one write in every unit. */
async function change(seed: number, count = 10): Promise<void> {
  await createRandomDisk(scene.azure, lane.diskId, REACH_BYTES, SEED + seed).change(count)
  const random = seededRandom(SEED + seed)
  for (let unit = 0; unit < 6; unit++) await scene.azure.writeDisk(lane.diskId, unit * 16 * MIB + 64 * 1024, noise(8192, random))
}

const targetUrl = (): string => lane.targetUrls[0]!

/** `present`: nothing is asked for. */
function backUp(stripes: number | 'present' = STRIPES, { keepLast = 30, ...run }: Partial<BackupRunOptions> & { keepLast?: number } = {}) {
  const request = { requestedAt: new Date(1_800_000_000_000 + requests * 60_000).toISOString(), requestId: `request ${requests++}` }
  const options = { ...DEFAULT_OPTIONS, retention: { keepLast }, ...(stripes !== 'present' && { stripes }) }
  return backUpInProcess({ diskId: lane.diskId, targetUrl: targetUrl(), options, request }, {
    startProcess: scene.startProcess,
    async onSnapshot({ uniqueId }) {
      const halves = [0, REACH_BYTES / 2].map((offset) => scene.azure.readDisk(lane.diskId, offset, REACH_BYTES / 2))
      if (!contents.has(uniqueId)) contents.set(uniqueId, Buffer.concat(await Promise.all(halves)))
    },
    ...run,
  })
}

/** Every listed point holds what the disk held, to the last byte, and nothing else. */
async function expectRightPoints(): Promise<Manifest[]> {
  const { points, damaged } = await listPoints(scene.clients, targetUrl(), { diskId: lane.diskId })
  expect(damaged).toEqual([])
  const own = points.filter((point) => !isCopied(point))
  for (const point of own) {
    const expected = contents.get(point.source.snapshotUniqueId)!
    const blob = pointBlobOf(scene.startProcess(), pointContentOf(targetUrl(), point))
    const footer = { startBytes: point.sizeBytes, endBytes: point.sizeBytes + VHD_FOOTER_BYTES }
    const different = (offsetBytes: number): Error => new Error(`point ${point.id} differs at ${offsetBytes}`)
    let at = 0
    for await (const allocated of blob.allocated({ startBytes: 0, endBytes: footer.endBytes })) {
      const { startBytes, endBytes } = allocated
      if (startBytes >= REACH_BYTES) {
        expect({ startBytes, endBytes }).toEqual(footer)
        continue
      }
      if (!isZero(expected.subarray(at, startBytes))) throw different(at)
      for (const range of cut(allocated, MAX_WRITE_BYTES)) {
        if (!(await blob.read(range)).equals(expected.subarray(range.startBytes, range.endBytes))) throw different(range.startBytes)
      }
      at = endBytes
    }
    if (!isZero(expected.subarray(at))) throw different(at)
    expect(hasVhdCookie(await blob.read(footer))).toBe(true)
  }
  return own
}

function isZero(bytes: Buffer): boolean {
  return bytes.equals(Buffer.alloc(bytes.length))
}

/** Of blob snapshots only those of points; no SAS, one source snapshot. */
async function expectNothingElse(points: readonly Manifest[]): Promise<void> {
  const wanted = points.flatMap((point) => pointBlobsOf(point).map(({ name, snapshot }) => `${name} ${snapshot}`))
  const found: string[] = []
  for await (const { name, snapshot } of listStripes(scene.clients, targetUrl(), await baseName())) {
    if (snapshot !== undefined) found.push(`${name} ${snapshot}`)
  }
  expect(found.sort()).toEqual(wanted.sort())
  expect(scene.azure.grantedAccess().filter(({ id }) => id.includes(lane.resourceGroup))).toEqual([])
}

async function baseName(): Promise<string> {
  const disk = await getDisk(scene.clients, lane.diskId)
  return baseBlobName(disk.id, disk.uniqueId)
}

async function liveStripes(): Promise<number[]> {
  const found: number[] = []
  for await (const { stripe, snapshot } of listStripes(scene.clients, targetUrl(), await baseName())) if (snapshot === undefined) found.push(stripe)
  return found
}

describe('a disk over four stripes', () => {
  test('is brought forward, and every point is one image of all of them', async () => {
    const kinds = [(await backUp()).kind]
    await change(1)
    kinds.push((await backUp()).kind)
    scene.azure.growDisk(lane.diskId, 2)
    await change(2)
    // Without being asked again it stays as it is.
    const grown = await backUp('present')
    kinds.push(grown.kind)
    expect(kinds).toEqual(['full', 'incremental', 'incremental'])
    expect(grown).toMatchObject({ format: 2, sizeBytes: 2 * GIB, stripes: { blobs: { length: STRIPES } } })
    expect(new Set(pointBlobsOf(grown).map(({ snapshot }) => snapshot)).size).toBe(STRIPES)
    const points = await expectRightPoints()
    expect(points).toHaveLength(3)
    await expectNothingElse(points)
  }, 120_000)

  test('gives up the snapshots of all stripes with a point that retention removes', async () => {
    await backUp()
    await change(1)
    await backUp(STRIPES, { keepLast: 1 })
    const points = await expectRightPoints()
    expect(points).toHaveLength(1)
    await expectNothingElse(points)
  }, 120_000)

  test('whose point has lost the snapshot of one stripe is damaged there, and is transferred whole', async () => {
    const { stripes } = await backUp()
    const lost = stripes!.blobs[2]!
    await new FencedBlob(scene.clients, targetUrl(), lost.name).deleteSnapshot(lost.snapshot)
    const { points, damaged } = await listPoints(scene.clients, targetUrl(), { diskId: lane.diskId })
    expect({ points, damaged }).toMatchObject({ points: [], damaged: [{ reason: expect.stringContaining(lost.name) }] })
    await change(1)
    expect(await backUp()).toMatchObject({ kind: 'reseed', reseedCause: 'LastPointGone' })
  }, 120_000)

  test('is transferred whole when a stripe was made anew by others', async () => {
    await backUp()
    await change(1)
    const blob = scene.clients.container(targetUrl()).getPageBlobClient(stripeBlobName(await baseName(), 1))
    const { contentLength, metadata } = await blob.getProperties()
    await blob.create(contentLength!, { metadata: metadata! })
    expect(await backUp()).toMatchObject({ kind: 'reseed', reseedCause: 'BaseBlobOverwritten' })
    await expectRightPoints()
  }, 120_000)
})

describe('another number of stripes', () => {
  test('is a reseed that says so; older points stay as they are, and stripes that no point needs go', async () => {
    await backUp(1)
    await change(1)
    expect(await backUp(3)).toMatchObject({ kind: 'reseed', reseedCause: 'LayoutChanged', stripes: { blobs: { length: 3 } } })
    await change(2)
    expect(await backUp(3)).toMatchObject({ kind: 'incremental' })
    expect(await expectRightPoints()).toHaveLength(3)
    await change(3)
    const { stripes, ...one } = await backUp(1)
    expect({ stripes, ...one }).toMatchObject({ kind: 'reseed', reseedCause: 'LayoutChanged', format: 1, stripes: undefined })
    expect(await liveStripes()).toEqual([0, 1, 2])
    await change(4)
    await backUp(1, { keepLast: 1 })
    const points = await expectRightPoints()
    expect(points).toHaveLength(1)
    await expectNothingElse(points)
    expect(await liveStripes()).toEqual([0])
  }, 180_000)

  test('that a broken-off run began with is measured against nothing that lay otherwise', async () => {
    await backUp(1)
    await change(1)
    const crash = new AbortController()
    scene.tripwires.set(lane.name, { operation: 'PutPageFromUrl', atCall: 3, isCarriedOut: true, onTrip: () => crash.abort() })
    await expect(backUp(3, { crash: crash.signal, afterCrash: 'terminated' })).rejects.toThrow('terminated')
    await change(2)
    expect(await backUp(1)).toMatchObject({ kind: 'reseed', reseedCause: 'LayoutChanged' })
    await change(3)
    expect(await backUp(1)).toMatchObject({ kind: 'incremental' })
    expect(await expectRightPoints()).toHaveLength(3)
  }, 120_000)
})

describe('the fence', () => {
  const PAGE = Buffer.alloc(PAGE_BYTES, 7)

  test('refuses a late write on every stripe once a run is sealed', async () => {
    const { run, stripes } = await backUp()
    for (const { name } of stripes!.blobs) {
      await expect(new FencedBlob(scene.clients, targetUrl(), name).write(0, PAGE, run.epoch)).rejects.toMatchObject({ type: 'FencedOut' })
    }
  }, 60_000)

  test('refuses a late write on every stripe of a run that was terminated, once the next has opened', async () => {
    const { run } = await backUp()
    await change(1)
    const crash = new AbortController()
    scene.tripwires.set(lane.name, { operation: 'PutPageFromUrl', atCall: 3, isCarriedOut: true, onTrip: () => crash.abort() })
    await expect(backUp(STRIPES, { crash: crash.signal, afterCrash: 'terminated' })).rejects.toThrow('terminated')
    const zombie = (await new BaseBlob(scene.clients, targetUrl(), await baseName()).properties())!.sequenceNumber
    expect(zombie).toBeGreaterThan(run.epoch)
    const { stripes } = await backUp()
    for (const { name } of stripes!.blobs) {
      await expect(new FencedBlob(scene.clients, targetUrl(), name).write(0, PAGE, zombie)).rejects.toMatchObject({ type: 'FencedOut' })
    }
    await expectRightPoints()
  }, 120_000)

  test('stops a run that another one overtakes between the lock and the other stripes', async () => {
    await backUp()
    await change(1)
    const engine = scene.startProcess()
    const planned = await planRun(engine, { diskId: lane.diskId, targetUrl: targetUrl(), stripes: STRIPES })
    const { disk, baseBlobName: name, striping, plan } = planned
    const snapshot = { id: `${disk.id}-late`, uniqueId: 'late', sizeBytes: disk.sizeBytes, takenAt: '2026-01-01T00:00:00Z' }
    // The third Set Blob Properties: the lock's epoch is raised already, a stripe is about to be lifted.
    scene.tripwires.set(lane.name, {
      operation: 'SetBlobProperties',
      atCall: 2,
      isCarriedOut: true,
      onTrip: async () => void (await backUp().catch(() => undefined)),
    })
    const opening = openBaseBlob(engine, { targetUrl: targetUrl(), baseBlobName: name, striping, runKey: 'late', disk, snapshot, plan, planned: planned.planned! })
    await expect(opening).rejects.toMatchObject({ type: 'FencedOut' })
    await backUp()
    await expectRightPoints()
  }, 120_000)

  test('rises above a stripe that stands higher than a lock that was made anew', async () => {
    await backUp()
    const name = await baseName()
    const ahead = Date.now() + 1_000_000_000
    await new FencedBlob(scene.clients, targetUrl(), stripeBlobName(name, 2)).liftEpoch(ahead)
    await scene.clients.container(targetUrl()).getPageBlobClient(name).delete({ deleteSnapshots: 'include' })
    const made = await backUp()
    expect(made.kind).toBe('full')
    expect(made.run.epoch).toBeGreaterThan(ahead)
    await change(1)
    expect((await backUp()).kind).toBe('incremental')
  }, 120_000)
})

test.each(someCrashes(['resumed', 'terminated', 'cancelled'], [6, 12, 18, 22, 26, 30, 36, 44, 60, 72, 80, 88]))(
  'a run over stripes that is %s at call %i leaves right points and nothing else',
  async (afterCrash, atCall) => {
    await backUp()
    await change(1, 4)
    const crash = new AbortController()
    const { tripped } = scene.tripwires
    scene.tripwires.set(lane.name, { atCall, isCarriedOut: atCall % 4 === 0, onTrip: () => crash.abort() })
    // Resumed it ends well; how the others end is not what is looked at.
    const outcome = await backUp(STRIPES, { crash: crash.signal, afterCrash }).then(() => 'sealed', () => 'stopped')
    if (afterCrash === 'resumed') expect(outcome).toBe('sealed')
    expect(scene.tripwires.tripped).toBe(tripped + 1)
    scene.tripwires.set(lane.name, undefined)
    await change(2, 4)
    await backUp()
    const points = await expectRightPoints()
    expect(points.length).toBeGreaterThanOrEqual(2)
    await expectNothingElse(points)
  },
  120_000,
)
