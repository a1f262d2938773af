/**
 * Opens the base blob for a run: creates or resizes it, raises the epoch, marks it dirty and fixes the baseline.
 *
 *     lock: raise the epoch, mark dirty -> other stripes: make, lift the epoch -> all: resize -> baseline of each
 *
 * From the raised epoch on no other run can write. The baseline is the base blob as it is found: the last point's blob snapshots
 * where nothing was written since, else marker snapshots, which the release of the run deletes. Against it the run later proves that
 * exactly its own writes are there.
 */
import { BaseBlob, type BaseBlobProps } from '../azure/base-blob.ts'
import type { FencedBlob } from '../azure/fenced-blob.ts'
import { findManifest } from '../azure/manifests.ts'
import { confirmPlan, type BackupPlan } from '../domain/backup-plan.ts'
import { snapshotsOfPoint, type BaseBlobState, type CursorRef, type SealedPoint } from '../domain/base-blob-state.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import { chainPrefix } from '../domain/names.ts'
import { blobBytesOf, type SourceDisk, type SourceSnapshot } from '../domain/source-disk.ts'
import { stripeSizes, type Striping } from '../domain/stripes.ts'
import type { BlobSnapshotRef, OpenedBase } from '../domain/transfer-job.ts'
import { findOrTakeSnapshot, listOurSnapshots } from './blob-snapshots.ts'
import { decideAnew } from './decide-anew.ts'
import { digestBlobOf } from './digest-blobs.ts'
import type { Engine } from './engine.ts'
import { holdStripe, requireHeld, resizeStripe } from './hold-stripes.ts'
import { baseBlobOf, expectListeners } from './striped-blob.ts'

/** The base blob as the plan saw it: open goes on only if it is still so. */
export interface PlannedBase {
  readonly runKey: string
  readonly condition: BaseBlobState['condition']
  readonly cursor?: CursorRef
  readonly lastPoint?: SealedPoint
}

export interface OpenOptions {
  readonly targetUrl: string
  readonly baseBlobName: string
  readonly striping: Striping
  readonly runKey: string
  readonly disk: SourceDisk
  readonly snapshot: SourceSnapshot
  readonly plan: BackupPlan
  /** Absent where the plan found no base blob. */
  readonly planned?: PlannedBase
  readonly signal?: AbortSignal | undefined
}

export interface OpenResult {
  readonly opened: OpenedBase
  /** The plan, or a reseed where the base blob cannot tell what was written since its last point. */
  readonly plan: BackupPlan
}

/**
 * Safe to run twice: an attempt of the same run finds its own mark and goes on from there.
 *
 * @throws BackupError FencedOut when another run opened or sealed the base blob after this run was planned; PointExists; BaseBlobForeign.
 */
export async function openBaseBlob(engine: Engine, options: OpenOptions): Promise<OpenResult> {
  const { targetUrl, baseBlobName, striping, disk, snapshot, signal } = options
  expectListeners(signal)
  const lock = new BaseBlob(engine.azure, targetUrl, baseBlobName)
  const { stripes } = baseBlobOf(engine, options)
  const sizes = stripeSizes(striping, blobBytesOf(snapshot.sizeBytes))
  const plan = confirmPlan(options.plan, snapshot)

  const epoch = await decideAnew(lock, signal, () => fence(engine, lock, options))
  // Of a stripe that is gone an incremental run would lose what it held.
  const mayCreate = plan.kind !== 'incremental'
  await Promise.all(
    stripes.map((blob, stripe) => {
      const sizeBytes = sizes[stripe] ?? 0
      return stripe === 0
        ? resizeStripe(blob, epoch, sizeBytes, signal)
        : holdStripe(blob, { epoch, sizeBytes, disk, mayCreate, signal })
    }),
  )
  const { baseline, leftoversSince, isOverwritten } = await fixBaseline(engine, epoch, sizes, options)
  return {
    opened: { targetUrl, baseBlobName, striping, epoch, baseline, ...(leftoversSince !== undefined && { leftoversSince }) },
    plan: isOverwritten && plan.kind === 'incremental' ? { kind: 'reseed', cause: 'BaseBlobOverwritten' } : plan,
  }
}

/** Raises the epoch and marks the base blob as this run's; answers the epoch. */
async function fence(engine: Engine, lock: BaseBlob, options: OpenOptions): Promise<number> {
  const { planned, striping, snapshot, signal } = options
  const found = await lock.properties(signal)
  if (found !== undefined && isOurs(found, options)) return claim(lock, found, signal)
  await refuseSealed(engine, options)
  if (found === undefined) {
    if (planned !== undefined) throw supersededBy('nobody: the blob was deleted', options)
    const [sizeBytes = 0] = stripeSizes(striping, blobBytesOf(snapshot.sizeBytes))
    await lock.create(sizeBytes, dirtyState(options), signal, (await highestEpoch(engine, options)) + 1)
    const created = await requireProperties(lock, signal)
    // Two first runs of two installations: the blob is whose call came first.
    if (!isOurs(created, options)) throw supersededBy(created.state?.runKey ?? 'another product', options)
    return claim(lock, created, signal)
  }
  if (planned === undefined || found.state?.runKey !== planned.runKey || found.state.condition !== planned.condition) {
    throw supersededBy(found.state?.runKey ?? 'another product', options)
  }
  const highest = await highestEpoch(engine, options)
  const raised = await lock.raiseEpoch(found.etag, signal, highest > found.sequenceNumber ? highest + 1 : undefined)
  await lock.setState(dirtyState(options), raised.etag, signal)
  return raised.epoch
}

/** Another run may have raised the epoch since: then it must raise it once more before it writes. */
async function claim(lock: BaseBlob, found: BaseBlobProps, signal?: AbortSignal): Promise<number> {
  await lock.claim(found, signal)
  return found.sequenceNumber
}

/**
 * Of what follows the lock, the other stripes and the digest table: higher than that of the lock where that was made anew, by
 * others, who begin at 0, or by a clock that is late.
 */
async function highestEpoch(engine: Engine, options: OpenOptions): Promise<number> {
  const [, ...others] = baseBlobOf(engine, options).stripes
  const [ofTable, ...found] = await Promise.all([
    digestBlobOf(engine, options).epoch(options.signal),
    ...others.map(async (blob) => (await blob.properties(options.signal))?.sequenceNumber ?? 0),
  ])
  return Math.max(ofTable, ...found)
}

/** Marked by an attempt of this run. An earlier run of the same request, with another source snapshot, has written other bytes. */
function isOurs({ state }: BaseBlobProps, { runKey, snapshot }: OpenOptions): boolean {
  return state?.runKey === runKey && state.condition === 'dirty' && state.pending?.snapshotUniqueId === snapshot.uniqueId
}

/** A request that comes again, as by a backfill of its schedule, must neither replace its point nor pass the old one off as new. */
async function refuseSealed(engine: Engine, { targetUrl, disk, runKey, signal }: OpenOptions): Promise<void> {
  const sealed = await findManifest(engine.azure, targetUrl, chainPrefix(disk.id, disk.uniqueId), runKey, signal)
  if (sealed === undefined) return
  throw new BackupError({
    type: 'PointExists',
    message: `point ${runKey} was made at ${sealed.sealedAt} and stays as it is; start a new backup for the present content of ${disk.id}`,
    facts: { pointId: runKey },
  })
}

function dirtyState({ disk, runKey, planned, snapshot, striping }: OpenOptions): BaseBlobState {
  return {
    diskId: disk.id,
    diskUniqueId: disk.uniqueId,
    ...stripedState(striping),
    condition: 'dirty',
    runKey,
    ...(planned?.cursor !== undefined && { cursor: planned.cursor }),
    ...(planned?.lastPoint !== undefined && { lastPoint: planned.lastPoint }),
    pending: cursorOf(snapshot),
  }
}

/** One stripe goes without saying, so that earlier releases can read it. */
export function stripedState(striping: Striping): Pick<BaseBlobState, 'striping'> {
  return striping.count === 1 ? {} : { striping }
}

export function cursorOf(snapshot: SourceSnapshot): CursorRef {
  const { id, uniqueId, familyId, sizeBytes } = snapshot
  return { snapshotId: id, snapshotUniqueId: uniqueId, sizeBytes, ...(familyId !== undefined && { familyId }) }
}

interface Baseline {
  readonly baseline: readonly BlobSnapshotRef[]
  readonly leftoversSince?: readonly BlobSnapshotRef[]
  /** A stripe was made anew since its last point, so it keeps no diff to it. */
  readonly isOverwritten: boolean
}

async function fixBaseline(engine: Engine, epoch: number, sizes: readonly number[], options: OpenOptions): Promise<Baseline> {
  const { planned, plan, runKey, signal } = options
  const { stripes } = baseBlobOf(engine, options)
  const isLastPointUsable = planned?.lastPoint !== undefined && !(plan.kind === 'reseed' && plan.cause === 'LastPointGone')
  const lastPoint = isLastPointUsable ? await refsTo(stripes, snapshotsOfPoint(planned.lastPoint), signal) : undefined
  const since = await Promise.all(
    stripes.map((blob, stripe) => writesSince(engine, blob, lastPoint?.[stripe], sizes[stripe] ?? 0, signal)),
  )
  if (lastPoint !== undefined && since.every((writes) => writes === 'none')) return { baseline: lastPoint, isOverwritten: false }

  const known = await listOurSnapshots(engine, options, signal)
  const baseline = await Promise.all(
    stripes.map(async (blob) => {
      const snapshot = await decideAnew(blob, signal, async () => {
        const { etag } = await requireHeld(blob, epoch, signal)
        return findOrTakeSnapshot(blob, known, { kind: 'marker', runKey, epoch, etag, signal })
      })
      return { snapshot, sizeBytes: await blob.sizeOfSnapshot(snapshot, signal) }
    }),
  )
  const isOverwritten = since.includes('refused')
  return {
    baseline,
    ...(lastPoint !== undefined && !isOverwritten && since.includes('some') && { leftoversSince: lastPoint }),
    isOverwritten,
  }
}

/** Snapshots with the sizes that they really have. @throws BackupError PointNotFound */
export function refsTo(stripes: readonly FencedBlob[], snapshots: readonly string[], signal?: AbortSignal): Promise<BlobSnapshotRef[]> {
  return Promise.all(
    stripes.map(async (blob, stripe) => {
      const snapshot = snapshots[stripe] ?? ''
      return { snapshot, sizeBytes: await blob.sizeOfSnapshot(snapshot, signal) }
    }),
  )
}

async function writesSince(
  engine: Engine,
  blob: FencedBlob,
  last: BlobSnapshotRef | undefined,
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<'none' | 'some' | 'refused' | 'unknown'> {
  if (last === undefined) return 'unknown'
  try {
    const window = { startBytes: 0, endBytes: sizeBytes }
    for await (const _change of engine.pageLists.blobDiff(blob.pageListSource(), last.snapshot, window, signal)) return 'some'
    return 'none'
  } catch (error) {
    if (isFailure(error, 'DiffRefused')) return 'refused'
    throw error
  }
}

export async function requireProperties(base: BaseBlob, signal?: AbortSignal): Promise<BaseBlobProps> {
  const found = await base.properties(signal)
  if (found !== undefined) return found
  throw new BackupError({
    type: 'FencedOut',
    message: `base blob ${base.name} was deleted while a run had it open; the next run starts a new one`,
    facts: { baseBlob: base.name },
  })
}

function supersededBy(who: string, { baseBlobName, targetUrl }: OpenOptions): BackupError {
  return new BackupError({
    type: 'FencedOut',
    message: `base blob ${baseBlobName} in ${targetUrl} is no longer as planned (it was opened by ${who}); nothing was written, the next run plans anew`,
    facts: { baseBlob: baseBlobName },
  })
}
