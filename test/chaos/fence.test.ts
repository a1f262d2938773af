/** What stands between two runs of one base blob: the epoch, the blob snapshots of each run, and the verification. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { BaseBlob } from '../../azure/base-blob.ts'
import { getDisk } from '../../azure/disks.ts'
import { MIB, PAGE_BYTES } from '../../domain/byte-range.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { baseBlobName, type RequestKey } from '../../domain/names.ts'
import { DEFAULT_OPTIONS } from '../../domain/policy.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { findOrTakeSnapshot, listOurSnapshots } from '../../engine/blob-snapshots.ts'
import { noise } from '../support/random-disk.ts'
import { openChaosScene, type ChaosScene, type Lane } from './chaos-scene.ts'
import { backUpInProcess, failureTypeOf, type BackupRunOptions } from './in-process-backup.ts'
import { backupDisk, playWorkflow } from './in-process-temporal.ts'

let scene: ChaosScene
let lane: Lane
let requests = 0
beforeAll(async () => {
  scene = await openChaosScene()
})
afterAll(() => scene?.close())
beforeEach(async () => {
  lane = await scene.openLane()
  lane.createDisk(1)
  await scene.azure.writeDisk(lane.diskId, 0, noise(MIB, seededRandom(1)))
})
afterEach(() => lane.close())

function nextRequest(): RequestKey {
  return { requestedAt: new Date(1_800_000_000_000 + requests * 60_000).toISOString(), requestId: `request ${requests++}` }
}

function backUp({ request = nextRequest(), ...run }: Partial<BackupRunOptions> & { request?: RequestKey } = {}) {
  const input = { diskId: lane.diskId, targetUrl: lane.targetUrls[0]!, options: DEFAULT_OPTIONS, request }
  return backUpInProcess(input, { startProcess: scene.startProcess, ...run })
}

async function baseBlob(): Promise<BaseBlob> {
  const disk = await getDisk(scene.clients, lane.diskId)
  return new BaseBlob(scene.clients, lane.targetUrls[0]!, baseBlobName(disk.id, disk.uniqueId))
}

const PAGE = Buffer.alloc(PAGE_BYTES, 7)

test('a write of a run that is sealed is refused, also when nobody has opened the base blob since', async () => {
  const { run } = await backUp()
  await expect((await baseBlob()).write(0, PAGE, run.epoch)).rejects.toMatchObject({ type: 'FencedOut' })
})

test('a write of a run that was terminated is refused as soon as the next has opened the base blob', async () => {
  await backUp()
  await scene.azure.writeDisk(lane.diskId, 0, noise(MIB, seededRandom(2)))
  const crash = new AbortController()
  scene.tripwires.set(lane.name, { operation: 'PutPageFromUrl', atCall: 1, isCarriedOut: true, onTrip: () => crash.abort() })
  await expect(backUp({ crash: crash.signal, afterCrash: 'terminated' })).rejects.toThrow('terminated')
  const base = await baseBlob()
  const zombieEpoch = (await base.properties())!.sequenceNumber

  const refusals: unknown[] = []
  const writeLate = async (): Promise<void> => {
    await base.write(0, PAGE, zombieEpoch).catch((error: unknown) => refusals.push(error))
  }
  scene.tripwires.set(lane.name, { operation: 'PutPageFromUrl', atCall: 1, isCarriedOut: true, onTrip: writeLate })
  await backUp()
  expect(refusals).toMatchObject([{ type: 'FencedOut' }])
})

describe('a run that another one has overtaken', () => {
  const steps = ['openBaseBlob', 'surveyChanges', 'transferExtent', 'verifyBaseBlob', 'updateDigests']
  test.each(['full', 'incremental'].flatMap((kind) => steps.map((step) => [kind, step] as const)))('ends as fenced out: %s, behind %s', async (kind, step) => {
    if (kind === 'incremental') {
      await backUp()
      await scene.azure.writeDisk(lane.diskId, 0, noise(MIB, seededRandom(5)))
    }
    const input = { diskId: lane.diskId, targetUrl: lane.targetUrls[0]!, options: DEFAULT_OPTIONS, request: nextRequest() }
    let later: Manifest | undefined
    const overtaken = playWorkflow(backupDisk, input, {
      startProcess: scene.startProcess,
      async onActivity(name) {
        if (name !== step || later !== undefined) return
        await scene.azure.writeDisk(lane.diskId, MIB, noise(MIB, seededRandom(6)))
        later = await backUp()
      },
    })
    expect(failureTypeOf(await overtaken.catch((error: unknown) => error))).toBe('FencedOut')
    const held = await (await baseBlob()).read({ startBytes: 0, endBytes: 2 * MIB }, later?.baseBlob.snapshot)
    expect(held.equals(await scene.azure.readDisk(lane.diskId, 0, 2 * MIB))).toBe(true)
  })

  test('ends so also when it would not verify again', async () => {
    await backUp()
    await scene.azure.writeDisk(lane.diskId, 0, noise(MIB, seededRandom(7)))
    // The other one writes, and ends before it deletes anything.
    const overtake = async (): Promise<void> => {
      await scene.azure.writeDisk(lane.diskId, 0, noise(MIB, seededRandom(8)))
      const crash = new AbortController()
      const other = { ...input, request: nextRequest() }
      const onActivity = async (name: string): Promise<void> => (name === 'transferExtent' ? crash.abort() : undefined)
      await expect(playWorkflow(backupDisk, other, { startProcess: scene.startProcess, crash: crash.signal, afterCrash: 'terminated', onActivity })).rejects.toThrow('terminated')
    }
    const options = { ...DEFAULT_OPTIONS, verify: { ...DEFAULT_OPTIONS.verify, maxRounds: 1 } }
    const input = { diskId: lane.diskId, targetUrl: lane.targetUrls[0]!, options, request: nextRequest() }
    const overtaken = playWorkflow(backupDisk, input, {
      startProcess: scene.startProcess,
      async onActivity(name) {
        if (name === 'transferExtent') scene.tripwires.set(lane.name, { operation: 'GetBlob', atCall: 1, isCarriedOut: true, onTrip: overtake })
      },
    })
    expect(failureTypeOf(await overtaken.catch((error: unknown) => error))).toBe('FencedOut')
  })
})

test('pages that somebody writes in the middle of a run are found and mended before the point is sealed', async () => {
  await backUp()
  await scene.azure.writeDisk(lane.diskId, 0, noise(MIB / 2, seededRandom(3)))
  const base = await baseBlob()
  const spoil = async (): Promise<void> => {
    await base.write(MIB - PAGE_BYTES, PAGE, (await base.properties())!.sequenceNumber)
  }
  scene.tripwires.set(lane.name, { operation: 'PutPageFromUrl', atCall: 1, isCarriedOut: true, onTrip: spoil })
  const point = await backUp()
  expect(point.verification.rounds).toBe(2)
  const held = await base.read({ startBytes: 0, endBytes: MIB }, point.baseBlob.snapshot)
  expect(held.equals(await scene.azure.readDisk(lane.diskId, 0, MIB))).toBe(true)
})

test('a request whose point exists is refused, and the point stays as it is', async () => {
  const request = { requestedAt: '2027-01-01T00:00:00.000Z', requestId: 'nightly' }
  const made = await backUp({ request })
  await scene.azure.writeDisk(lane.diskId, 0, noise(MIB, seededRandom(4)))
  await backUp()
  await expect(backUp({ request })).rejects.toMatchObject({ cause: { type: 'PointExists' } })
  const held = await (await baseBlob()).read({ startBytes: 0, endBytes: MIB }, made.baseBlob.snapshot)
  expect(held.equals(noise(MIB, seededRandom(1)))).toBe(true)
})

test('a blob snapshot is taken once a run, and anew under another epoch', async () => {
  await backUp()
  const base = await baseBlob()
  const { etag } = (await base.properties())!
  const take = async (epoch: number): Promise<string> => {
    const known = await listOurSnapshots({ azure: scene.clients }, { targetUrl: lane.targetUrls[0]!, baseBlobName: base.name })
    return findOrTakeSnapshot(base, known, { kind: 'marker', runKey: 'run', epoch, etag })
  }
  const first = await take(1)
  expect(await take(1)).toBe(first)
  expect(await take(2)).not.toBe(first)
})
