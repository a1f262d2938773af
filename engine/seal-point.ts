/**
 * Seals a consistent base blob into a recovery point:
 *
 *     raise the epoch -> Snapshot Blob -> snapshot of the digest table -> manifest -> mark clean (cursor = the source snapshot)
 *
 * The epoch is raised on the lock and then on the other stripes, the snapshots are taken of all; the manifest names all or is not
 * written.
 * Raising first means that no write that was lost on the way can land behind the snapshot. Each step is found again by an attempt
 * that follows a crash: the epoch by the mark, the snapshot by the run key in its metadata, the manifest by its name.
 */
import { BaseBlob, type BaseBlobProps } from '../azure/base-blob.ts'
import type { FencedBlob, FencedBlobProps } from '../azure/fenced-blob.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import type { BackupPlan } from '../domain/backup-plan.ts'
import { BackupError } from '../domain/failures.ts'
import type { DigestBasis } from '../domain/digest-table.ts'
import { sealedPointOf } from '../domain/base-blob-state.ts'
import { describedDisk, isTransferred, pointBlobsOf, type Manifest, type Movement, type PointBlob, type PointDigests, type Verification } from '../domain/manifest.ts'
import type { SourceDisk, SourceSnapshot } from '../domain/source-disk.ts'
import type { Striping } from '../domain/stripes.ts'
import { findOrTakeSnapshot, listOurSnapshots } from './blob-snapshots.ts'
import { decideAnew } from './decide-anew.ts'
import type { Engine } from './engine.ts'
import { liftStripe, requireHeld } from './hold-stripes.ts'
import { cursorOf, requireProperties, stripedState } from './open-base-blob.ts'
import { sealDigests } from './seal-digests.ts'
import { sealManifest } from './seal-manifest.ts'
import { baseBlobOf, expectListeners } from './striped-blob.ts'

export interface SealOptions {
  readonly targetUrl: string
  readonly baseBlobName: string
  readonly striping: Striping
  readonly chain: string
  /** Also the id of the point. */
  readonly runKey: string
  readonly workflowId: string
  readonly startedAt: string
  /** The epoch under which the run wrote. */
  readonly epoch: number
  readonly disk: SourceDisk
  readonly snapshot: SourceSnapshot
  readonly plan: BackupPlan
  readonly changedBytes: number
  readonly clearedBytes: number
  readonly movedBytes: number
  readonly requests: number
  readonly movement: Movement
  readonly verification: Verification
  /** What the digests that the run wrote vouch for; absent: it kept none. */
  readonly digestBasis?: DigestBasis
  readonly mended?: readonly ByteRange[]
  readonly signal?: AbortSignal | undefined
}

/** Safe to run twice. @throws BackupError FencedOut when the run no longer holds the base blob: then no point is made. PointExists. */
export async function sealPoint(engine: Engine, options: SealOptions): Promise<Manifest> {
  const { targetUrl, baseBlobName, signal } = options
  const lock = new BaseBlob(engine.azure, targetUrl, baseBlobName)
  const blobs = await decideAnew(lock, signal, async () => takeSnapshots(engine, await closeEpoch(lock, options), options))
  const manifest = await sealManifest(engine, options, isTransferred, async () => manifestOf(blobs, await sealDigests(engine, options), options))
  const snapshots = pointBlobsOf(manifest).map(({ snapshot }) => snapshot)
  await decideAnew(lock, signal, () => markClean(lock, snapshots, options))
  return manifest
}

/** One of each stripe, all of what was verified: none is written under the epoch that the lock was closed with. */
async function takeSnapshots(engine: Engine, closed: FencedBlobProps, options: SealOptions): Promise<PointBlob[]> {
  const { runKey, epoch, signal } = options
  expectListeners(signal)
  const [lock, ...others] = baseBlobOf(engine, options).stripes
  await Promise.all(others.map((blob) => liftStripe(blob, closed.sequenceNumber, signal)))
  const known = await listOurSnapshots(engine, options, signal)
  const take = async (blob: FencedBlob, { etag, sizeBytes }: FencedBlobProps): Promise<PointBlob> => {
    const snapshot = await findOrTakeSnapshot(blob, known, { kind: 'point', runKey, epoch, etag, signal })
    return { name: blob.name, sizeBytes, snapshot }
  }
  return Promise.all([
    take(lock!, closed),
    ...others.map(async (blob) => take(blob, await requireHeld(blob, closed.sequenceNumber, signal))),
  ])
}

function manifestOf(blobs: readonly PointBlob[], digests: PointDigests | undefined, options: SealOptions): Manifest {
  const { plan, disk, snapshot: source, striping, runKey } = options
  const { changedBytes, clearedBytes, movedBytes, requests, movement, verification } = options
  const sealedAt = new Date().toISOString()
  return {
    format: striping.count === 1 ? 1 : 2,
    id: runKey,
    kind: plan.kind,
    reseedCause: plan.kind === 'reseed' ? plan.cause : null,
    takenAt: source.takenAt,
    sealedAt,
    disk: describedDisk(disk),
    sizeBytes: source.sizeBytes,
    baseBlob: blobs[0]!,
    ...(striping.count > 1 && { stripes: { unitBytes: striping.unitBytes, blobs } }),
    source: { snapshotId: source.id, snapshotUniqueId: source.uniqueId, familyId: source.familyId },
    run: { key: runKey, workflowId: options.workflowId, epoch: options.epoch },
    changedBytes,
    clearedBytes,
    movedBytes,
    requests,
    ...movement,
    seconds: Math.max(0, (Date.parse(sealedAt) - Date.parse(options.startedAt)) / 1000),
    verification,
    ...(digests !== undefined && { digests }),
    ...(options.mended !== undefined && { mended: [...options.mended] }),
    writtenBy: 'snapferry',
  }
}

/**
 * Raises the epoch once; an attempt after a crash finds it raised, or the base blob marked clean by itself. A raise that it finds may also
 * be that of a run which has not marked it yet, and is claimed.
 */
async function closeEpoch(lock: BaseBlob, options: SealOptions): Promise<BaseBlobProps> {
  const found = await requireProperties(lock, options.signal)
  requireOurs(found, options)
  if (found.sequenceNumber > options.epoch) await lock.claim(found, options.signal)
  else await lock.raiseEpoch(found.etag, options.signal)
  const closed = await requireProperties(lock, options.signal)
  requireOurs(closed, options)
  return closed
}

async function markClean(lock: BaseBlob, snapshots: readonly string[], options: SealOptions): Promise<void> {
  const { disk, runKey, striping, signal } = options
  const found = await requireProperties(lock, signal)
  requireOurs(found, options)
  if (found.state?.condition === 'clean') return
  const state = {
    diskId: disk.id,
    diskUniqueId: disk.uniqueId,
    ...stripedState(striping),
    condition: 'clean',
    runKey,
    cursor: cursorOf(options.snapshot),
    lastPoint: sealedPointOf(runKey, snapshots),
  } as const
  await lock.setState(state, found.etag, signal)
}

function requireOurs(found: BaseBlobProps, { runKey, baseBlobName, epoch, snapshot }: SealOptions): void {
  // The same request may have been begun anew, elsewhere, with a snapshot of its own.
  const holds = found.state?.pending ?? found.state?.cursor
  if (found.state?.runKey === runKey && holds?.snapshotUniqueId === snapshot.uniqueId && found.sequenceNumber <= epoch + 1) return
  throw new BackupError({
    type: 'FencedOut',
    message: `base blob ${baseBlobName} was opened by ${found.state?.runKey ?? 'another product'} while this run was sealing; no point was made, the next run plans anew`,
    facts: { baseBlob: baseBlobName },
  })
}
