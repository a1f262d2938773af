/**
 * Opens the base blob for a run: creates or resizes it, raises the epoch, marks it dirty and fixes the baseline.
 *
 * From the raised epoch on no other run can write. The baseline is the base blob as it is found: the last point's blob snapshot
 * where nothing was written since, else a marker snapshot, which the release of the run deletes. Against it the run later proves that
 * exactly its own writes are there.
 */
import type { BaseBlob, BaseBlobProps } from '../azure/base-blob.ts'
import { findManifest } from '../azure/manifests.ts'
import { confirmPlan, type BackupPlan } from '../domain/backup-plan.ts'
import type { BaseBlobState, CursorRef, SealedPoint } from '../domain/base-blob-state.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import { chainPrefix } from '../domain/names.ts'
import { blobBytesOf, type SourceDisk, type SourceSnapshot } from '../domain/source-disk.ts'
import type { BlobSnapshotRef, OpenedBase } from '../domain/transfer-job.ts'
import { findOrTakeSnapshot } from './blob-snapshots.ts'
import { decideAnew } from './decide-anew.ts'
import type { Engine } from './engine.ts'
import { baseBlobOf } from './source-changes.ts'

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
  const { targetUrl, baseBlobName, snapshot, signal } = options
  const base = baseBlobOf(engine, options)
  const blobBytes = blobBytesOf(snapshot.sizeBytes)
  const epoch = await decideAnew(base, signal, () => fence(engine, base, blobBytes, options))
  const plan = confirmPlan(options.plan, snapshot)
  const { baseline, leftoversSince, isOverwritten } = await fixBaseline(engine, base, epoch, options)
  await decideAnew(base, signal, async () => {
    const { sizeBytes, etag } = await requireProperties(base, signal)
    if (sizeBytes < blobBytes) await base.resize(blobBytes, etag, signal)
  })
  return {
    opened: { targetUrl, baseBlobName, epoch, baseline, ...(leftoversSince !== undefined && { leftoversSince }) },
    plan: isOverwritten && plan.kind === 'incremental' ? { kind: 'reseed', cause: 'BaseBlobOverwritten' } : plan,
  }
}

/** Raises the epoch and marks the base blob as this run's; answers the epoch. */
async function fence(engine: Engine, base: BaseBlob, blobBytes: number, options: OpenOptions): Promise<number> {
  const { planned, signal } = options
  const found = await base.properties(signal)
  if (found !== undefined && isOurs(found, options)) return found.sequenceNumber
  await refuseSealed(engine, options)
  if (found === undefined) {
    if (planned !== undefined) throw supersededBy('nobody: the blob was deleted', options)
    await base.create(blobBytes, dirtyState(options), signal)
    const created = await requireProperties(base, signal)
    // Two first runs of two installations: the blob is whose call came first.
    if (!isOurs(created, options)) throw supersededBy(created.state?.runKey ?? 'another product', options)
    return created.sequenceNumber
  }
  if (planned === undefined || found.state?.runKey !== planned.runKey || found.state.condition !== planned.condition) {
    throw supersededBy(found.state?.runKey ?? 'another product', options)
  }
  const raised = await base.raiseEpoch(found.etag, signal)
  await base.setState(dirtyState(options), raised.etag, signal)
  return raised.epoch
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

function dirtyState({ disk, runKey, planned, snapshot }: OpenOptions): BaseBlobState {
  return {
    diskId: disk.id,
    diskUniqueId: disk.uniqueId,
    condition: 'dirty',
    runKey,
    ...(planned?.cursor !== undefined && { cursor: planned.cursor }),
    ...(planned?.lastPoint !== undefined && { lastPoint: planned.lastPoint }),
    pending: cursorOf(snapshot),
  }
}

export function cursorOf(snapshot: SourceSnapshot): CursorRef {
  const { id, uniqueId, familyId, sizeBytes } = snapshot
  return { snapshotId: id, snapshotUniqueId: uniqueId, sizeBytes, ...(familyId !== undefined && { familyId }) }
}

interface Baseline {
  readonly baseline: BlobSnapshotRef
  readonly leftoversSince?: BlobSnapshotRef
  /** The blob was made anew since its last point, so it keeps no diff to it. */
  readonly isOverwritten: boolean
}

async function fixBaseline(engine: Engine, base: BaseBlob, epoch: number, options: OpenOptions): Promise<Baseline> {
  const { planned, plan, runKey, signal } = options
  const refTo = async (snapshot: string): Promise<BlobSnapshotRef> => ({ snapshot, sizeBytes: await base.sizeOfSnapshot(snapshot, signal) })
  const isLastPointUsable = planned?.lastPoint !== undefined && !(plan.kind === 'reseed' && plan.cause === 'LastPointGone')
  const lastPoint = isLastPointUsable ? await refTo(planned.lastPoint.blobSnapshot) : undefined
  const since = lastPoint === undefined ? 'unknown' : await writesSince(engine, base, lastPoint.snapshot, signal)
  if (lastPoint !== undefined && since === 'none') return { baseline: lastPoint, isOverwritten: false }
  const { etag } = await requireProperties(base, signal)
  const marker = await findOrTakeSnapshot(base, { kind: 'marker', runKey, epoch, etag, signal })
  return {
    baseline: await refTo(marker),
    ...(lastPoint !== undefined && since === 'some' && { leftoversSince: lastPoint }),
    isOverwritten: since === 'refused',
  }
}

async function writesSince(engine: Engine, base: BaseBlob, snapshot: string, signal?: AbortSignal): Promise<'none' | 'some' | 'refused'> {
  const { sizeBytes } = await requireProperties(base, signal)
  try {
    for await (const _change of engine.pageLists.blobDiff(base.pageListSource(), snapshot, { startBytes: 0, endBytes: sizeBytes }, signal)) return 'some'
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
