/** The same backups and restores on endpoints that differ in everything that Azure's documents leave open, or ask a client to bear. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { KIB, MIB, type ByteRange } from '../../domain/byte-range.ts'
import { seededRandom } from '../../domain/sampler.ts'
import type { PageLists } from '../../azure/page-lists.ts'
import type { OperationCall } from '../../simulator/blob-service/service-hooks.ts'
import type { BeforeOperation } from '../../simulator/compute/arm-call.ts'
import { computeSettings, type ComputeSettingsChange } from '../../simulator/compute/settings.ts'
import { StorageError } from '../../simulator/blob-service/storage-error.ts'
import { noise } from '../support/random-disk.ts'
import { expectRestorable, expectRoundTrip } from '../support/round-trip.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SEED = Number(process.env['SNAPFERRY_TEST_SEED'] ?? Date.now() % 2 ** 31)

/** How the endpoint differs at the moment. */
interface Variant {
  readonly settings?: ComputeSettingsChange
  readonly beforeArm?: BeforeOperation
  readonly beforeBlob?: (call: OperationCall) => Promise<void> | void
  readonly pageLists?: (lists: PageLists) => PageLists
}

let scene: Scene
let variant: Variant = {}

beforeAll(async () => {
  process.stderr.write(`seed ${SEED}\n`)
  scene = await openScene({
    blobLimits: { maxPageListRanges: 7, maxListItems: 2 },
    settings: { pageSize: 1 },
    beforeOperation: async (call) => variant.beforeArm?.(call),
    blobHooks: { before: (call) => variant.beforeBlob?.(call) },
    wrapPageLists: changeable,
  })
})
afterAll(() => scene?.close())
afterEach(() => use({}))

function use(next: Variant): void {
  variant = next
  const { secondGrant, deleteWithAccess, operationMs, retryAfterSeconds } = { ...computeSettings(), ...next.settings }
  scene.azure.changeSettings({ secondGrant, deleteWithAccess, operationMs, retryAfterSeconds })
}

describe('full, incremental and restore come out right where', () => {
  test.each<[string, () => Variant]>([
    ['every list comes in tiny pages', () => ({})],
    ['operations take time', () => ({ settings: { operationMs: 400, retryAfterSeconds: 1 } })],
    ['a second grant ends the first', () => ({ settings: { secondGrant: 'new' } })],
    ['a second grant is refused', () => ({ settings: { secondGrant: 'refuse' } })],
    ['deleting a snapshot revokes its access', () => ({ settings: { deleteWithAccess: 'revoke' } })],
    ['every call of the resource manager is throttled once', () => ({ beforeArm: throttleOnce() })],
    ['every fifth page write meets a busy server', () => ({ beforeBlob: busyEvery(5) })],
    ['page lists are told in blocks of 64 KiB', () => ({ pageLists: (lists) => coarse(lists, 64 * KIB) })],
  ])('%s', async (_, different) => {
    use(different())
    await expectRoundTrip(scene, scene.createDisk(1), SEED)
  }, 180_000)
})

test('a run that lost its access resumes rightly where the base blob tells its own writes in blocks of 64 KiB', async () => {
  const diskId = scene.createDisk(1)
  await scene.azure.writeDisk(diskId, 0, noise(4 * MIB, seededRandom(SEED)))
  await scene.backUp(diskId)
  for (let index = 0; index < 120; index++) {
    await scene.azure.writeDisk(diskId, index * 2 * KIB + 512, noise(512, seededRandom(SEED + index)))
  }
  const { sha256 } = await scene.azure.digestDisk(diskId)
  let copies = 0
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  use({
    pageLists: (lists) => ({ ...lists, blobDiff: coarse(lists, 64 * KIB).blobDiff }),
    // One copy is overtaken by its neighbours, which share its block, and meets the dead access when it is done at last.
    async beforeBlob({ operation }) {
      if (operation !== 'PutPageFromUrl') return
      copies += 1
      if (copies === 40) await held
      if (copies !== 60) return
      for (const { id } of scene.azure.grantedAccess()) scene.azure.withdrawAccess(id)
      letGo()
    },
  })
  // Without samples, which would find it by luck.
  const { point } = await scene.backUp(diskId, { verify: { sampleChanged: 0, sampleUnchanged: 0, maxRounds: 3 } })
  expect(point.kind).toBe('incremental')
  expect(copies).toBeGreaterThan(60)
  await expectRestorable(scene, point.id, sha256)
}, 180_000)

/** Asks for every list anew what the variant makes of lists. */
function changeable(lists: PageLists): PageLists {
  const now = (): PageLists => variant.pageLists?.(lists) ?? lists
  return {
    allocated: (...query) => now().allocated(...query),
    managedDiskDiff: (...query) => now().managedDiskDiff(...query),
    blobDiff: (...query) => now().blobDiff(...query),
  }
}

/** The first call of each operation, in the two shapes of ARM and of the compute provider in turn. */
function throttleOnce(): BeforeOperation {
  const seen = new Set<string>()
  const target = { code: 'TooManyRequests', target: 'HighCostGet', message: '{"allowedRequestCount":1}' }
  const bodies = [
    { error: { code: 'TooManyRequests', message: 'The request is being throttled.' } },
    { code: 'OperationNotAllowed', message: 'The server rejected the request.', details: [target] },
  ]
  return async ({ operation }) => {
    if (seen.has(operation)) return undefined
    seen.add(operation)
    return { status: 429, headers: { 'Retry-After': '1' }, body: bodies[seen.size % bodies.length] }
  }
}

function busyEvery(count: number): (call: OperationCall) => void {
  let writes = 0
  return ({ operation }) => {
    if (!/^(PutPage|PutPageFromUrl|ClearPages)$/.test(operation)) return
    writes += 1
    if (writes % count === 0) throw new StorageError('ServerBusy')
  }
}

/** Rounds everything that lists name outward to blocks; a block that was written in part counts as written. */
function coarse(lists: PageLists, blockBytes: number): PageLists {
  const rounded = async function* <Item extends ByteRange>(ranges: AsyncIterable<Item>, window: ByteRange): AsyncGenerator<Item> {
    let endBytes = window.startBytes
    for await (const range of ranges) {
      const isClear = 'kind' in range && range.kind === 'clear'
      const down = (bytes: number): number => Math.floor(bytes / blockBytes) * blockBytes
      const startBytes = Math.max(endBytes, isClear ? range.startBytes : down(range.startBytes))
      const upTo = Math.min(window.endBytes, isClear ? range.endBytes : down(range.endBytes + blockBytes - 1))
      if (startBytes >= upTo) continue
      yield { ...range, startBytes, endBytes: upTo }
      endBytes = upTo
    }
  }
  return {
    allocated: (source, window, signal) => rounded(lists.allocated(source, window, signal), window),
    managedDiskDiff: (source, previous, window, signal) => rounded(lists.managedDiskDiff(source, previous, window, signal), window),
    blobDiff: (source, previous, window, signal) => rounded(lists.blobDiff(source, previous, window, signal), window),
  }
}
