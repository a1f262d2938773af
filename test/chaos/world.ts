/** What a history is played in, and what the player knows of it that the product does not. */
import { listPoints } from '../../azure/manifests.ts'
import { findSnapshot } from '../../azure/snapshots.ts'
import { GIB, lengthOf, MIB, PAGE_BYTES } from '../../domain/byte-range.ts'
import { isCopied, type AnyManifest, type Manifest } from '../../domain/manifest.ts'
import type { RequestKey } from '../../domain/names.ts'
import { newestFirst } from '../../domain/recovery-point.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { noise } from '../support/random-disk.ts'
import type { ChaosScene, Lane } from './chaos-scene.ts'
import { areasOf, bytesAt, createDiskModel, type Content, type DiskModel } from './disk-model.ts'
import { pick, type DiskChange } from './history.ts'

export interface World {
  readonly scene: ChaosScene
  readonly lane: Lane
  /** What went wrong, in words. */
  readonly faults: string[]
  disk: DiskModel
  /** Replaces the disk by an empty one of the same name. */
  recreateDisk(extraMib?: number): void
  change(changes: readonly DiskChange[]): Promise<void>
  /** Notes what a source snapshot holds, the first time that it is seen. */
  noteSnapshot(uniqueId: string, content: Content): void
  /** The same for one that a run may have made before it was stopped. */
  noteSnapshotAt(snapshotId: string, content: Content): Promise<void>
  /** @returns undefined for a point of a snapshot that was never seen. */
  contentOf(point: Pick<AnyManifest, 'source'>): Content | undefined
  /** Newest first. */
  points(target: number): Promise<Manifest[]>
  /** As `points` found them last, where nobody but runs has touched them since. */
  pointsAsLeft(target: number): Promise<readonly Manifest[]>
  /** Somebody else has touched the points of a target. */
  forgetPoints(target: number): void
  /** Requests of earlier runs to a target. */
  readonly requests: readonly RequestKey[][]
}

export function createWorld(scene: ChaosScene, lane: Lane): World {
  const contents = new Map<string, Content>()
  const lastSeen = new Map<number, readonly Manifest[]>()
  const startDisk = (extraMib = 0): DiskModel => {
    lane.createDisk(1, extraMib)
    return createDiskModel(GIB + extraMib * MIB)
  }
  const world: World = {
    scene,
    lane,
    faults: [],
    disk: startDisk(),
    requests: lane.targetUrls.map(() => []),
    recreateDisk(extraMib) {
      scene.azure.deleteDisk(lane.diskId)
      world.disk = startDisk(extraMib)
    },
    async change(changes) {
      for (const change of changes) await applyChange(world, change)
    },
    noteSnapshot(uniqueId, content) {
      if (!contents.has(uniqueId)) contents.set(uniqueId, content)
    },
    async noteSnapshotAt(snapshotId, content) {
      const found = await findSnapshot(scene.clients, snapshotId)
      if (found !== undefined) world.noteSnapshot(found.uniqueId, content)
    },
    contentOf: ({ source }) => contents.get(source.snapshotUniqueId),
    async points(target) {
      const points = newestFirst((await listPoints(scene.clients, lane.targetUrls[target]!)).points.filter((point) => !isCopied(point)))
      lastSeen.set(target, points)
      return points
    },
    pointsAsLeft: async (target) => lastSeen.get(target) ?? world.points(target),
    forgetPoints: (target) => void lastSeen.delete(target),
  }
  return world
}

async function applyChange({ scene, lane, disk }: World, { kind, area, place, pages, seed }: DiskChange): Promise<void> {
  const areas = areasOf(disk.sizeBytes)
  const inside = areas[pick(areas.length, area)]!
  const lengthBytes = Math.min(pages * PAGE_BYTES, lengthOf(inside))
  const startBytes = inside.startBytes + pick((lengthOf(inside) - lengthBytes) / PAGE_BYTES + 1, place) * PAGE_BYTES
  const range = { startBytes, endBytes: startBytes + lengthBytes }
  if (kind === 'clear') {
    scene.azure.clearDisk(lane.diskId, startBytes, lengthBytes)
    disk.clear(range)
    return
  }
  const data =
    kind === 'write' ? noise(lengthBytes, seededRandom(seed)) : kind === 'writeZeros' ? Buffer.alloc(lengthBytes) : bytesAt(disk.content(), range)
  await scene.azure.writeDisk(lane.diskId, startBytes, data)
  disk.write(startBytes, data)
}
