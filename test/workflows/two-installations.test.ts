/** Two installations, or a dead attempt beside its successor, on one base blob: each step meets what the other did at the worst moment. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { BaseBlob } from '../../azure/base-blob.ts'
import { createManifest } from '../../azure/manifests.ts'
import { isFailure } from '../../domain/failures.ts'
import { MIB } from '../../domain/byte-range.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { manifestName, targetKeyOf } from '../../domain/names.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { SourceDisk, SourceSnapshot } from '../../domain/source-disk.ts'
import { openBaseBlob, type OpenResult } from '../../engine/open-base-blob.ts'
import { planRun, type PlannedRun } from '../../engine/plan-run.ts'
import { releaseRun, type ReleaseOptions } from '../../engine/release-run.ts'
import { sealPoint, type SealOptions } from '../../engine/seal-point.ts'
import type { OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import { noise } from '../support/random-disk.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)

let scene: Scene
let before: ((call: OperationCall) => Promise<void> | void) | undefined
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ blobHooks: { before: (call) => before?.(call) } })
})
afterAll(() => scene?.close())

function plan(diskId: string): Promise<PlannedRun> {
  return planRun(scene.engine, { diskId, targetUrl: scene.targetUrl })
}

function open(planned: PlannedRun, runKey: string): Promise<OpenResult> {
  return openWith(planned, runKey, snapshotOf(planned.disk, runKey))
}

function openWith(planned: PlannedRun, runKey: string, snapshot: SourceSnapshot): Promise<OpenResult> {
  const { disk, baseBlobName, striping, plan: asPlanned, planned: base } = planned
  return openBaseBlob(scene.engine, {
    targetUrl: scene.targetUrl,
    baseBlobName,
    striping,
    runKey,
    disk,
    snapshot,
    plan: asPlanned,
    ...(base && { planned: base }),
  })
}

function sealOf({ disk, baseBlobName, chain, striping }: PlannedRun, runKey: string, { opened, plan: asOpened }: OpenResult): SealOptions {
  return {
    targetUrl: scene.targetUrl,
    baseBlobName,
    striping,
    chain,
    runKey,
    workflowId: `backup/${runKey}`,
    startedAt: '2026-01-01T00:00:00Z',
    epoch: opened.epoch,
    disk,
    snapshot: snapshotOf(disk, runKey),
    plan: asOpened,
    changedBytes: 0,
    clearedBytes: 0,
    movedBytes: 0,
    requests: 0,
    movement: {},
    verification: { result: 'passed', rounds: 1, writtenBytes: 0, comparedBytes: 0 },
  }
}

function snapshotOf(disk: SourceDisk, runKey: string): SourceSnapshot {
  return { id: `${disk.id}-${runKey}`, uniqueId: runKey, sizeBytes: disk.sizeBytes, takenAt: '2026-01-01T00:00:00Z' }
}

function releaseOf({ disk, chain, baseBlobName }: PlannedRun, runKey: string): ReleaseOptions {
  const owner = { targetKey: targetKeyOf(scene.targetUrl), diskUniqueId: disk.uniqueId }
  return { targetUrl: scene.targetUrl, baseBlobName, chain, runKey, owner, granted: [] }
}

/** Who waits for `opened` goes on when it is opened. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let resolveOpened = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    resolveOpened = resolve
  })
  return { opened, open: () => resolveOpened() }
}

/** Calls `act` while the `nth` call of an operation waits; its own calls pass. */
function duringCall(operation: string, nth: number, act: () => Promise<void>): void {
  let seen = 0
  before = async (call) => {
    if (call.operation !== operation || ++seen !== nth) return
    before = undefined
    await act()
  }
}

describe('opening a base blob', () => {
  test('that two first runs create at the same time gives it to one of them', async () => {
    const planned = await plan(scene.createDisk(1))
    const outcomes = await Promise.allSettled([open(planned, 'run-a'), open(planned, 'run-b')])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const [loser] = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(loser?.reason).toMatchObject({ type: 'FencedOut' })
  })

  test('is not put off by a late write that changes it between two calls', async () => {
    const diskId = scene.createDisk(1)
    await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(SEED)))
    await scene.backUp(diskId)
    const planned = await plan(diskId)
    const base = new BaseBlob(scene.clients, scene.targetUrl, planned.baseBlobName)
    const { sequenceNumber } = (await base.properties())!
    let late = 0
    duringCall('SetBlobProperties', 1, async () => {
      late += 1
      await base.write(0, noise(4096, seededRandom(SEED + 1)), sequenceNumber)
    })
    const { opened } = await open(planned, 'run-c')
    expect(late).toBe(1)
    expect(opened).toMatchObject({ epoch: sequenceNumber + 1, leftoversSince: expect.anything() })
    await expect(base.write(0, noise(512, seededRandom(2)), sequenceNumber)).rejects.toMatchObject({ type: 'FencedOut' })
  })
})

describe('an epoch that another run has raised, and not marked yet,', () => {
  /** The other run has read the state before it raises, as one does that plans at the worst moment. */
  async function raise({ baseBlobName }: PlannedRun): Promise<() => Promise<unknown>> {
    const base = new BaseBlob(scene.clients, scene.targetUrl, baseBlobName)
    const { state, etag } = (await base.properties())!
    const raised = await base.raiseEpoch(etag)
    return () => base.setState({ ...state!, runKey: 'run-b' }, raised.etag).catch((error: unknown) => error)
  }

  test('is not taken by a repeated open', async () => {
    const diskId = scene.createDisk(1)
    await scene.backUp(diskId)
    const planned = await plan(diskId)
    await open(planned, 'run-a')
    let repeated: OpenResult | undefined
    duringCall('SetBlobMetadata', 1, async () => {
      repeated = await open(planned, 'run-a')
    })
    const { opened } = await open(await plan(diskId), 'run-b')
    expect(opened.epoch).toBeGreaterThan(repeated!.opened.epoch)
    await expect(open(planned, 'run-a')).rejects.toMatchObject({ type: 'FencedOut' })
  }, 120_000)

  test('is not taken by the run that has just made the blob', async () => {
    const planned = await plan(scene.createDisk(1))
    let mark: (() => Promise<unknown>) | undefined
    duringCall('PutBlob', 1, async () => {
      // Its own reading of what it has made comes next.
      duringCall('GetBlobProperties', 1, async () => {
        mark = await raise(planned)
      })
    })
    await open(planned, 'run-a')
    expect(await mark!()).toMatchObject({ type: 'FencedOut' })
  })

  test.each([1, 2])('is not taken for the one that closes a seal, in %i stripes', async (stripes) => {
    const planned = await planRun(scene.engine, { diskId: scene.createDisk(1), targetUrl: scene.targetUrl, stripes })
    const opened = await open(planned, 'run-a')
    const mark = await raise(planned)
    let answer: unknown
    duringCall('SnapshotBlob', 1, async () => {
      answer = await mark()
    })
    await sealPoint(scene.engine, sealOf(planned, 'run-a', opened))
    expect(answer).toMatchObject({ type: 'FencedOut' })
  })
})

describe('sealing', () => {
  test('ends where the same request was begun anew with another snapshot', async () => {
    const planned = await plan(scene.createDisk(1))
    const opened = await open(planned, 'run-a')
    const again = snapshotOf(planned.disk, 'run-b')
    const { opened: anew } = await openWith(await plan(planned.disk.id), 'run-a', again)
    expect(anew.epoch).toBe(opened.opened.epoch + 1)
    await expect(sealPoint(scene.engine, sealOf(planned, 'run-a', opened))).rejects.toMatchObject({ type: 'FencedOut' })
  })

  test('is not put off by a late write of a dead attempt of the same run', async () => {
    const diskId = scene.createDisk(1)
    const data = noise(MIB, seededRandom(SEED + 3))
    await scene.azure.writeDisk(diskId, 0, data)
    const { baseBlobName } = await plan(diskId)
    const base = new BaseBlob(scene.clients, scene.targetUrl, baseBlobName)
    // Of a first run: the only Set Blob Properties is the one that closes the epoch.
    let late = 0
    duringCall('SetBlobProperties', 1, async () => {
      late += 1
      await base.write(0, data.subarray(0, 4096), (await base.properties())!.sequenceNumber)
    })
    await expect(scene.backUp(diskId)).resolves.toMatchObject({ point: { kind: 'full' } })
    expect(late).toBe(1)
  }, 120_000)
})

describe('two attempts of one seal', () => {
  test('that took another snapshot of a stripe each make one point, whose snapshots stay', async () => {
    const planned = await planRun(scene.engine, { diskId: scene.createDisk(1), targetUrl: scene.targetUrl, stripes: 2 })
    const opened = await open(planned, 'run-a')
    const seal = (): Promise<Manifest> => sealPoint(scene.engine, sealOf(planned, 'run-a', opened))
    const [later, laterGoesOn] = [gate(), gate()]
    const [earlier, earlierGoesOn] = [gate(), gate()]
    let snapshots = 0
    let manifests = 0
    before = async ({ operation, blob }) => {
      // Both have looked for the snapshots of the other before either has taken the one of the second stripe.
      if (operation === 'SnapshotBlob' && blob.endsWith('.vhd.1') && ++snapshots === 1) {
        later.open()
        await laterGoesOn.opened
      }
      if (operation === 'PutBlob' && blob.endsWith('.json') && ++manifests === 1) {
        earlier.open()
        await earlierGoesOn.opened
      }
    }
    const second = seal()
    await later.opened
    const first = seal()
    await earlier.opened
    laterGoesOn.open()
    const sealed = await second
    await releaseRun(scene.engine, releaseOf(planned, 'run-a'))
    earlierGoesOn.open()
    expect(await first).toEqual(sealed)
    expect(await scene.points(planned.disk.id)).toEqual([sealed])
    expect([snapshots, manifests]).toEqual([2, 2])
    before = undefined
  })
})

describe('the sweep of a run that ends', () => {
  test('leaves alone the point that another run seals while it looks', async () => {
    const diskId = scene.createDisk(1)
    await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(SEED + 4)))
    await scene.backUp(diskId)
    const planned = await plan(diskId)
    const sealed: string[] = []
    duringCall('ListBlobs', 2, async () => {
      sealed.push((await scene.backUp(diskId)).point.id)
    })
    await releaseRun(scene.engine, releaseOf(planned, 'some-older-run'))
    expect(sealed).toHaveLength(1)
    expect((await scene.points(diskId)).map(({ id }) => id)).toContain(sealed[0])
  }, 120_000)

  test('counts a copied manifest as no point of its own, and deletes nothing for its sake', async () => {
    const diskId = scene.createDisk(1)
    await scene.backUp(diskId)
    await scene.backUp(diskId)
    const found = await scene.points(diskId)
    const { chain } = await plan(diskId)
    await createManifest(scene.clients, scene.targetUrl, manifestName(chain, `${found[1]!.id}-copy`), found[1]!)
    await scene.backUp(diskId, { retention: { keepLast: 3 } })
    expect((await scene.points(diskId)).map(({ id }) => id)).toEqual(expect.arrayContaining(found.map(({ id }) => id)))
  }, 120_000)

  test('deletes the last cursor also where the policy has changed its resource group', async () => {
    const diskId = scene.createDisk(1, 'moved')
    scene.azure.createResourceGroup({ name: 'elsewhere', location: 'westeurope' })
    await scene.backUp(diskId)
    await expect(scene.backUp(diskId, { snapshotResourceGroup: 'elsewhere' })).resolves.toMatchObject({ point: { kind: 'incremental' } })
    expect((await scene.sourceSnapshots()).filter((name) => name.startsWith('sf-moved-'))).toEqual([])
  }, 120_000)
})

test('a cancelled caller is granted no access any more', async () => {
  const { exports } = scene.engine
  const cancelled = AbortSignal.abort()
  const id = scene.createDisk(1)
  const error: unknown = await exports.write(id, cancelled).catch((reason: unknown) => reason)
  expect(isFailure(error)).toBe(false)
  // Waits for a grant that is under way, if there is one.
  await exports.revoke(id)
  expect(scene.azure.stats().compute['Disks_GrantAccess']).toBeUndefined()
})
