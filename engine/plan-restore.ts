/** Finds what a restore is made from and refuses what would overwrite or cannot work, before anything is made. */
import { findDisk } from '../azure/disks.ts'
import { findSnapshot } from '../azure/snapshots.ts'
import { armIdOf, parseArmId, subscriptionOf } from '../domain/arm-id.ts'
import { BackupError } from '../domain/failures.ts'
import { chainPrefix, holdName, importBlobName, temporaryDiskName } from '../domain/names.ts'
import { isSameRegion } from '../domain/region.ts'
import { originLabel, type RestoreOrigin, type RestoreRequest, type RestoreWay } from '../domain/restore-request.ts'
import { restoredDisk } from '../domain/restored-disk.ts'
import type { DiskSettings, DiskShape } from '../domain/source-disk.ts'
import { besideTags, isSameRequest, restoreTags, type Tags } from '../domain/tags.ts'
import type { Engine } from './engine.ts'
import { tryHold } from './hold-point.ts'
import { requireReadable } from './require-readable.ts'
import type { RestoreJob } from './restore-job.ts'
import { findRestoreSource, type RestoreSource } from './restore-source.ts'
import { requireSourceSnapshot, type SnapshotRef } from './source-snapshot.ts'

/** How the disk of a restore gets its bytes. */
export type Filling =
  | { readonly kind: 'upload' }
  | { readonly kind: 'import'; readonly storageAccountId: string; readonly temporaryBlobName: string }
  | ({ readonly kind: 'source-snapshot' } & SnapshotRef)

export interface PlannedRestore {
  readonly origin: RestoreOrigin
  readonly job: RestoreJob
  readonly filling: Filling
  /** What the content was copied from; whether it still lives is not said. */
  readonly sourceSnapshot?: SnapshotRef
  /** There is nothing to compare the disk with. */
  readonly isUncompared?: boolean
  /** The disk that is filled and compared: what was asked for, or what the snapshot is taken of. */
  readonly disk: {
    readonly id: string
    readonly location: string
    readonly sizeBytes: number
    readonly shape: DiskShape
    readonly tags: Tags
  }
  /** What the disk, or the snapshot, gets beside: a refusal of it costs no restore. */
  readonly settings: DiskSettings
  /** What is asked for instead of the disk, which is deleted then. */
  readonly snapshot?: { readonly id: string; readonly isIncremental: boolean }
  readonly warnings: readonly string[]
}

/** Makes nothing but the hold on the point. @throws BackupError PointNotFound, PointDamaged, BaseBlobNotClean, DiskExists, RegionMismatch, SourceSnapshotNotFound, InvalidArgument. */
export async function planRestore(engine: Engine, request: RestoreRequest, signal?: AbortSignal): Promise<PlannedRestore> {
  const plan = await draftRestore(engine, request, signal)
  if (plan.filling.kind === 'source-snapshot') await requireSourceSnapshot(engine, plan.filling, plan, signal)
  const taken = await findNameTaken(engine, plan, signal)
  if (taken !== undefined) {
    throw new BackupError({
      type: 'DiskExists',
      message: `${taken} exists already; a restore never overwrites anything, so nothing was made. Choose another name`,
      facts: { diskId: plan.disk.id },
    })
  }
  const unheld = await tryHold(engine, plan.job, signal)
  return unheld === undefined ? plan : { ...plan, warnings: [...plan.warnings, unheld] }
}

/** The plan alone: whether it can be carried out is not asked. @throws BackupError PointNotFound, PointDamaged, … */
export async function draftRestore(engine: Engine, request: RestoreRequest, signal?: AbortSignal): Promise<PlannedRestore> {
  const product = productOf(request)
  const source = await findRestoreSource(engine, request, signal)
  const way = request.way ?? wayOf(source, productOf(request).diskId, request.region)
  const { shape, settings, warnings } = restoredDisk(source.disk, request, way)
  const { point } = source.origin
  const { tags, dropped } = besideTags(source.disk.shape.tags ?? {}, restoreTags(point?.id ?? 'base-blob', request.requestId))
  const untagged = dropped.length === 0 ? [] : [`Azure takes 50 tags and the restore needs some of its own, so these of the old disk are left out: ${dropped.join(', ')}`]
  return {
    origin: source.origin,
    job: { ...source.content, toDiskId: product.diskId, ...(point && { holdName: holdName(chainPrefix(point.diskId, point.diskUniqueId), point.id, request.requestId) }) },
    filling: fillingOf(way, source, request),
    ...(source.snapshot && { sourceSnapshot: source.snapshot }),
    ...(source.isUncompared === true && { isUncompared: true }),
    disk: { id: product.diskId, location: request.region, sizeBytes: source.sizeBytes, shape, tags },
    settings,
    ...(product.snapshot && { snapshot: product.snapshot }),
    warnings: [...source.warnings, ...warnings, ...untagged],
  }
}

/** What stands in the way by its name, in words. What an earlier attempt of the same restore made does not count. */
export async function findNameTaken(engine: Engine, { disk, snapshot }: PlannedRestore, signal?: AbortSignal): Promise<string | undefined> {
  const existing = await findDisk(engine.azure, disk.id, signal)
  if (existing !== undefined && !isSameRequest(existing.tags, disk.tags)) return `disk ${disk.id}`
  if (snapshot === undefined) return undefined
  const standing = await findSnapshot(engine.azure, snapshot.id, signal)
  return standing !== undefined && !isSameRequest(standing.tags, disk.tags) ? `snapshot ${snapshot.id}` : undefined
}

function productOf({ toDiskId, toSnapshotId, isIncremental = false, requestId }: RestoreRequest): {
  diskId: string
  snapshot?: PlannedRestore['snapshot']
} {
  if (toSnapshotId === undefined && toDiskId !== undefined) return { diskId: parseArmId(toDiskId, 'disks').id }
  if (toSnapshotId === undefined || toDiskId !== undefined) {
    throw new BackupError({ type: 'InvalidArgument', message: 'a restore makes either a disk or a snapshot' })
  }
  const snapshot = parseArmId(toSnapshotId, 'snapshots')
  const disk = armIdOf({ ...snapshot, type: 'disks', name: temporaryDiskName(snapshot.id, requestId) })
  return { diskId: disk.id, snapshot: { id: snapshot.id, isIncremental } }
}

/** A point that is a snapshot becomes a disk at once where it lies; everything else is uploaded. */
function wayOf({ fastRegion, snapshot }: RestoreSource, diskId: string, region: string): RestoreWay {
  if (fastRegion === undefined || snapshot === undefined || !isSameRegion(fastRegion, region)) return 'upload'
  const isSameSubscription = subscriptionOf(diskId) === subscriptionOf(snapshot.snapshotId)
  return isSameSubscription ? 'source-snapshot' : 'upload'
}

function fillingOf(way: RestoreWay, source: RestoreSource, { storageAccountId, requestId }: RestoreRequest): Filling {
  switch (way) {
    case 'upload':
      requireReadable(source)
      return { kind: 'upload' }
    case 'import':
      if (storageAccountId === undefined) {
        throw new BackupError({ type: 'InvalidArgument', message: 'an import needs the resource id of the storage account (--storage-account-id)' })
      }
      if (source.origin.baseBlobName === undefined) {
        throw new BackupError({ type: 'InvalidArgument', message: `${originLabel(source.origin)} is an Azure snapshot, and an import takes a blob; restore it without --import` })
      }
      if (source.content.striping.count > 1) {
        const message = `${originLabel(source.origin)} lies in ${source.content.striping.count} stripes, and an import takes one blob; restore it by upload`
        throw new BackupError({ type: 'InvalidArgument', message })
      }
      return { kind: 'import', storageAccountId, temporaryBlobName: importBlobName(source.origin.baseBlobName, requestId) }
    case 'source-snapshot':
      if (source.snapshot === undefined) {
        throw new BackupError({ type: 'SourceSnapshotNotFound', message: `${originLabel(source.origin)} names no source snapshot` })
      }
      return { kind: 'source-snapshot', ...source.snapshot }
  }
}
