/** Runs that meet trouble on the way: they end with the right bytes or with a clear failure, and leave nothing behind. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { BaseBlob } from '../../azure/base-blob.ts'
import { findDisk } from '../../azure/disks.ts'
import { MIB } from '../../domain/byte-range.ts'
import { isFailure } from '../../domain/failures.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { OperationCall, ServiceHooks } from '../../simulator/blob-service/service-hooks.ts'
import type { BackupDiskResult } from '../../workflows/messages.ts'
import { expectRightDigests } from '../support/check-digests.ts'
import { createRandomDisk, noise } from '../support/random-disk.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)

let scene: Scene
const hooks: { before?: (call: OperationCall) => Promise<void> | void } = {}
const delegate: ServiceHooks = { before: (call) => hooks.before?.(call) }
beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({ blobHooks: delegate })
})
afterAll(() => scene?.close())
beforeEach(() => {
  delete hooks.before
})

async function diskWithData(): Promise<string> {
  const diskId = scene.createDisk(1)
  await createRandomDisk(scene.azure, diskId, 64 * MIB, SEED).change(30)
  return diskId
}

async function expectPointEquals(pointId: string, sha256: string): Promise<void> {
  const { diskId } = await scene.restore({ pointId })
  expect((await scene.azure.digestDisk(diskId)).sha256).toBe(sha256)
}

/** Lets the first `count` requests of an operation pass, then calls `act` once. */
function afterRequests(operation: string, count: number, act: () => Promise<void> | void): void {
  let seen = 0
  hooks.before = async (call) => {
    if (call.operation !== operation) return
    seen += 1
    if (seen === count + 1) await act()
  }
}

/** @returns how many SAS died */
function withdrawReadAccess(): number {
  const granted = scene.azure.grantedAccess().filter(({ access }) => access === 'Read')
  for (const { id } of granted) scene.azure.withdrawAccess(id)
  return granted.length
}

describe('access to the source', () => {
  test('that dies in mid-run is taken anew, and the run goes on', async () => {
    const diskId = await diskWithData()
    const { sha256 } = await scene.azure.digestDisk(diskId)
    let died = 0
    afterRequests('PutPageFromUrl', 5, () => {
      died += withdrawReadAccess()
    })
    const { point } = await scene.backUp(diskId)
    expect(died).toBeGreaterThan(0)
    await expectPointEquals(point.id, sha256)
  }, 120_000)
})

test('access to the source that dies when the digests are made is taken anew, where they have to be checked there', async () => {
  const diskId = await diskWithData()
  const raised = new Map<string | undefined, number>()
  hooks.before = ({ operation, blob, request }) => {
    // The fence of the digest table is raised before anything else is done there.
    const fence = request.header('x-ms-blob-sequence-number')
    if (operation === 'SetBlobProperties' && blob.endsWith('/digests') && !raised.has(fence)) raised.set(fence, withdrawReadAccess())
  }
  scene.azure.changeBlobLimits({ copyChecksum: 'other' })
  try {
    await scene.backUp(diskId)
  } finally {
    scene.azure.changeBlobLimits({ copyChecksum: 'crc64' })
  }
  // By the transfer, by the step itself, and by the seal.
  expect([...raised.values()]).toEqual([1, 1, 1])
  await expectRightDigests(scene.clients, scene.targetUrl, (await scene.points(diskId))[0]!)
}, 60_000)

test.each(['GetBlob', 'PutPage'])('a digest table that is deleted at a %s of the transfer does not fail the run, which makes it anew', async (operation) => {
  const diskId = await diskWithData()
  let deleted = 0
  hooks.before = async (call) => {
    if (call.operation !== operation || !call.blob.endsWith('/digests') || deleted > 0) return
    deleted += 1
    await scene.clients.container(scene.targetUrl).getPageBlobClient(call.blob).delete()
  }
  await scene.backUp(diskId)
  expect(deleted).toBe(1)
  await expectRightDigests(scene.clients, scene.targetUrl, (await scene.points(diskId))[0]!)
}, 60_000)

test('a digest table that is deleted while the digests are made does not fail the run, which begins them anew', async () => {
  const diskId = await diskWithData()
  await scene.backUp(diskId)
  await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(SEED + 9)))
  const fences = new Set<string | undefined>()
  let deleted = 0
  hooks.before = async ({ operation, blob, request }) => {
    if (!blob.endsWith('/digests') || deleted > 0) return
    if (operation === 'SetBlobProperties') fences.add(request.header('x-ms-blob-sequence-number'))
    // The first is the transfer's.
    if (operation !== 'PutPage' || fences.size < 2) return
    deleted += 1
    await scene.clients.container(scene.targetUrl).getPageBlobClient(blob).delete({ deleteSnapshots: 'include' })
  }
  await scene.backUp(diskId)
  expect(deleted).toBe(1)
  await expectRightDigests(scene.clients, scene.targetUrl, (await scene.points(diskId))[0]!)
}, 60_000)

describe('the fence', () => {
  test('refuses the writes of a run that another installation has overtaken, and its point is not made', async () => {
    const diskId = await diskWithData()
    await scene.backUp(diskId)
    const pointsBefore = (await scene.points(diskId)).length
    await createRandomDisk(scene.azure, diskId, 64 * MIB, SEED + 1).change(30)
    afterRequests('PutPageFromUrl', 3, async () => {
      const [{ baseBlob }] = (await scene.points(diskId)) as [Awaited<ReturnType<Scene['points']>>[number]]
      const base = new BaseBlob(scene.clients, scene.targetUrl, baseBlob.name)
      for (;;) {
        const found = await base.properties()
        const raised = await base.raiseEpoch(found!.etag).catch((error: unknown) => {
          // Writes of the run change the ETag all the time.
          if (!isFailure(error, 'FencedOut')) throw error
        })
        if (raised !== undefined) break
      }
    })
    await expect(scene.backUp(diskId)).rejects.toMatchObject({ cause: { cause: { type: 'FencedOut' } } })
    expect(await scene.points(diskId)).toHaveLength(pointsBefore)
    expect(scene.azure.grantedAccess()).toEqual([])
  }, 120_000)
})

describe('an interrupted run', () => {
  test('leaves older points as they are, and the next run brings the base blob forward from what it finds', async () => {
    const diskId = await diskWithData()
    const before = await scene.azure.digestDisk(diskId)
    const first = await scene.backUp(diskId)
    const disk = createRandomDisk(scene.azure, diskId, 64 * MIB, SEED + 2)
    await disk.change(30)
    let reached = (): void => {}
    const half = new Promise<void>((resolve) => {
      reached = resolve
    })
    let letGo = (): void => {}
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    afterRequests('PutPageFromUrl', 8, async () => {
      reached()
      await held
    })
    const run = await scene.startBackup(diskId)
    await half
    await scene.client.workflow.getHandle(run.workflowId).terminate('as an operator in a hurry would')
    letGo()
    await run.result().catch(() => {})
    await disk.change(30)
    const after = await scene.azure.digestDisk(diskId)
    const second = await scene.backUp(diskId)
    expect(second.point.kind).toBe('incremental')
    await expectPointEquals(first.point.id, before.sha256)
    await expectPointEquals(second.point.id, after.sha256)
    expect(scene.azure.grantedAccess()).toEqual([])
  }, 120_000)

  test('takes back its snapshot and its access when it is cancelled', async () => {
    const diskId = await diskWithData()
    const sourcesBefore = await scene.sourceSnapshots()
    let reached = (): void => {}
    const half = new Promise<void>((resolve) => {
      reached = resolve
    })
    hooks.before = async ({ operation }) => {
      if (operation !== 'PutPageFromUrl') return
      reached()
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    const run = await scene.startBackup(diskId)
    await half
    await scene.client.workflow.getHandle(run.workflowId).cancel()
    await expect(run.result()).rejects.toThrow()
    delete hooks.before
    expect(await scene.sourceSnapshots()).toEqual(sourcesBefore)
    expect(scene.azure.grantedAccess()).toEqual([])
    expect(await scene.points(diskId)).toEqual([])
  }, 120_000)

  test('makes its point all the same when it is cancelled while it is being sealed', async () => {
    const diskId = await diskWithData()
    await scene.backUp(diskId)
    await createRandomDisk(scene.azure, diskId, 64 * MIB, SEED + 5).change(10)
    const { sha256 } = await scene.azure.digestDisk(diskId)
    let reached = (): void => {}
    const sealing = new Promise<void>((resolve) => {
      reached = resolve
    })
    let letGo = (): void => {}
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    hooks.before = async ({ operation }) => {
      if (operation !== 'SnapshotBlob') return
      reached()
      await held
    }
    const run = await scene.startBackup(diskId)
    await sealing
    await scene.client.workflow.getHandle(run.workflowId).cancel()
    letGo()
    const { point } = (await run.result()) as BackupDiskResult
    await expectPointEquals(point.id, sha256)
    expect(scene.azure.grantedAccess()).toEqual([])
  }, 120_000)
})

describe('a restore', () => {
  test('whose point is deleted in the middle fails by that name, says who may have done it and what to do, and takes its disk away', async () => {
    const { point } = await scene.backUp(await diskWithData())
    const [{ baseBlob }] = (await scene.points(point.diskId)) as [Awaited<ReturnType<Scene['points']>>[number]]
    afterRequests('PutPageFromUrl', 3, () => new BaseBlob(scene.clients, scene.targetUrl, baseBlob.name).deleteSnapshot(baseBlob.snapshot))
    const toDiskId = scene.freshDiskId()
    const message = expect.stringMatching(new RegExp(`${baseBlob.snapshot}.*BlobNotFound.*retention or somebody else has deleted.*policy pause`, 's'))
    const failed = { cause: { cause: { type: 'PointNotFound', message } } }
    await expect(scene.restore({ pointId: point.id, toDiskId })).rejects.toMatchObject(failed)
    expect(await findDisk(scene.clients, toDiskId)).toBeUndefined()
    expect(scene.azure.grantedAccess()).toEqual([])
  }, 120_000)
})

describe('verification', () => {
  test('finds a chunk that something wrote to another place during the run, and mends it before the point is sealed', async () => {
    const diskId = scene.createDisk(1)
    await scene.azure.writeDisk(diskId, 0, noise(16 * MIB, seededRandom(SEED + 3)))
    await scene.backUp(diskId)
    await scene.azure.writeDisk(diskId, 0, noise(MIB, seededRandom(SEED + 4)))
    const { sha256 } = await scene.azure.digestDisk(diskId)
    const [{ baseBlob }] = (await scene.points(diskId)) as [Awaited<ReturnType<Scene['points']>>[number]]
    const base = new BaseBlob(scene.clients, scene.targetUrl, baseBlob.name)
    let spoiled = 0
    afterRequests('PutPageFromUrl', 0, async () => {
      spoiled += 1
      const { sequenceNumber } = (await base.properties())!
      await base.write(8 * MIB, noise(4096, seededRandom(1)), sequenceNumber)
    })
    const { point } = await scene.backUp(diskId)
    expect(spoiled).toBe(1)
    expect(point.verification.rounds).toBeGreaterThan(1)
    await expectPointEquals(point.id, sha256)
  }, 120_000)
})
