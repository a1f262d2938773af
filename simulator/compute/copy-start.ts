import { invalidParameter, notAllowed } from './arm-error.ts'
import { isCopying } from './background-copy.ts'
import type { ComputeState } from './compute-state.ts'
import { requireComplete, requireSourceResource } from './copy-source.ts'
import type { DiskSnapshot } from './disk-model.ts'
import type { Region } from './regions.ts'
import type { SnapshotBody } from './request-bodies.ts'
import type { ResourceId } from './resource-id.ts'
import { copiedFamilyIdOf, newestOf } from './snapshot-family.ts'
import type { SnapshotOrigin } from './snapshot-origin.ts'
import { writtenBytes } from './usage.ts'

/**
 * `createOption: CopyStart`: Azure's own copy of an incremental snapshot, to another region or within one
 * (MicrosoftDocs/azure-compute-docs, disks-copy-incremental-snapshot-across-regions.md).
 *
 * The copies of a family that are in one region and subscription are a family of their own; only what changed since the
 * newest of them is moved. The source must stay until `completionPercent` is 100.
 */

/**
 * @throws ArmError 400 for a source that is no incremental snapshot or older than one that was copied already, 409 for
 * one that is not complete, while another snapshot of the disk is being copied, or beyond the limit of the region.
 */
export function startCopy(state: ComputeState, id: ResourceId, body: SnapshotBody, region: Region): SnapshotOrigin {
  const source = requireSourceResource(state, body.properties.creationData.sourceResourceId)
  if (source.kind !== 'snapshot' || source.familyId === undefined) {
    throw invalidParameter('creationData.sourceResourceId', 'CopyStart copies incremental snapshots only.')
  }
  requireComplete(state, source)
  const place = { subscriptionId: id.subscriptionId, region: region.name }
  const familyId = copiedFamilyIdOf(source.familyId, place)
  const inRegion = copiesIn(state, place)
  const earlier = inRegion.filter((copy) => copy.familyId === familyId)
  checkOrder(state, source, earlier)
  const underWay = inRegion.filter((copy) => isCopying(state, copy)).length
  const { copiesPerRegion, regionCopyMs } = state.settings()
  if (underWay >= copiesPerRegion) {
    throw notAllowed(`${underWay} snapshots are being copied to '${region.name}'; at most ${copiesPerRegion} can be.`)
  }

  const previous = newestOf(earlier.filter((copy) => copy.copyFailure === undefined))
  return {
    content: source.content,
    sectorSizeBytes: source.sectorSizeBytes,
    inherited: source.inherited,
    sourceUniqueId: source.uniqueId,
    familyId,
    disk: undefined,
    previous,
    backgroundCopyMs: regionCopyMs,
    copiedFrom: {
      id: source.id,
      uniqueId: source.uniqueId,
      timeCreated: source.timeCreated,
      movedBytes: writtenBytes(source.content, previous?.content),
    },
  }
}

function copiesIn(state: ComputeState, place: { subscriptionId: string; region: string }): DiskSnapshot[] {
  return [...state.snapshots.all()].filter(
    (snapshot) =>
      snapshot.copiedFrom !== undefined &&
      snapshot.location === place.region &&
      snapshot.id.subscriptionId.toLowerCase() === place.subscriptionId.toLowerCase(),
  )
}

function checkOrder(state: ComputeState, source: DiskSnapshot, earlier: readonly DiskSnapshot[]): void {
  const pending = earlier.find((copy) => isCopying(state, copy))
  if (pending !== undefined) {
    throw notAllowed(`Only one snapshot of a disk can be copied at a time, and '${pending.id.name}' is being copied.`)
  }
  const newer = earlier.find((copy) => (copy.copiedFrom?.timeCreated ?? source.timeCreated) > source.timeCreated)
  if (newer !== undefined) {
    throw invalidParameter(
      'creationData.sourceResourceId',
      `Snapshots must be copied in the order they were created, and '${newer.id.name}' is of a later one.`,
    )
  }
}
