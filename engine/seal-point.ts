/**
 * Seals a consistent base blob into a recovery point:
 *
 *     raise the epoch -> snapshots of digest table and base blob -> manifest -> mark clean (cursor = the source snapshot)
 *
 * Raising first means that no write that was lost on the way can land behind the snapshot. Each step is found again by an attempt
 * that follows a crash: the epoch by the mark, the snapshot by the run key in its metadata, the manifest by its name.
 */
import type { BaseBlob, BaseBlobProps } from '../azure/base-blob.ts'
import { findManifest, writeManifest } from '../azure/manifests.ts'
import type { BackupPlan } from '../domain/backup-plan.ts'
import { BackupError } from '../domain/failures.ts'
import type { DigestBasis } from '../domain/digest-table.ts'
import { isCopied, type Manifest, type Movement, type PointDigests, type Verification } from '../domain/manifest.ts'
import { manifestName } from '../domain/names.ts'
import type { SourceDisk, SourceSnapshot } from '../domain/source-disk.ts'
import { findOrTakeSnapshot } from './blob-snapshots.ts'
import { decideAnew } from './decide-anew.ts'
import type { Engine } from './engine.ts'
import { cursorOf, requireProperties } from './open-base-blob.ts'
import { sealDigests } from './seal-digests.ts'
import { baseBlobOf } from './source-changes.ts'

export interface SealOptions {
  readonly targetUrl: string
  readonly baseBlobName: string
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
  readonly signal?: AbortSignal | undefined
}

/** Safe to run twice. @throws BackupError FencedOut when the run no longer holds the base blob: then no point is made. */
export async function sealPoint(engine: Engine, options: SealOptions): Promise<Manifest> {
  const { targetUrl, chain, runKey, signal } = options
  const base = baseBlobOf(engine, options)
  const { etag, sizeBytes } = await decideAnew(base, signal, () => closeEpoch(base, options))
  const snapshot = await findOrTakeSnapshot(base, { kind: 'point', runKey, epoch: options.epoch, etag, signal })
  const write = async (): Promise<Manifest> => writePoint(engine, snapshot, sizeBytes, await sealDigests(engine, options), options)
  const found = await findManifest(engine.azure, targetUrl, chain, runKey, signal)
  const manifest = found === undefined || isCopied(found) ? await write() : found
  await decideAnew(base, signal, () => markClean(base, manifest.baseBlob.snapshot, options))
  return manifest
}

async function writePoint(
  engine: Engine,
  snapshot: string,
  sizeBytes: number,
  digests: PointDigests | undefined,
  options: SealOptions,
): Promise<Manifest> {
  const { plan, disk, snapshot: source, targetUrl, baseBlobName, chain, runKey, signal } = options
  const { changedBytes, clearedBytes, movedBytes, requests, movement, verification } = options
  const sealedAt = new Date().toISOString()
  const manifest: Manifest = {
    format: 1,
    id: runKey,
    kind: plan.kind,
    reseedCause: plan.kind === 'reseed' ? plan.cause : null,
    takenAt: source.takenAt,
    sealedAt,
    disk: { id: disk.id, uniqueId: disk.uniqueId, name: disk.name, location: disk.location, shape: disk.shape },
    sizeBytes: source.sizeBytes,
    baseBlob: { name: baseBlobName, sizeBytes, snapshot },
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
    writtenBy: 'snapferry',
  }
  await writeManifest(engine.azure, targetUrl, manifestName(chain, runKey), manifest, signal)
  return manifest
}

/** Raises the epoch once; an attempt after a crash finds it raised, or the base blob marked clean by itself. */
async function closeEpoch(base: BaseBlob, options: SealOptions): Promise<BaseBlobProps> {
  const found = await requireProperties(base, options.signal)
  requireOurs(found, options)
  if (found.sequenceNumber > options.epoch) return found
  await base.raiseEpoch(found.etag, options.signal)
  const closed = await requireProperties(base, options.signal)
  requireOurs(closed, options)
  return closed
}

async function markClean(base: BaseBlob, snapshot: string, options: SealOptions): Promise<void> {
  const { disk, runKey, signal } = options
  const cursor = cursorOf(options.snapshot)
  const found = await requireProperties(base, signal)
  requireOurs(found, options)
  if (found.state?.condition === 'clean') return
  const state = { diskId: disk.id, diskUniqueId: disk.uniqueId, condition: 'clean', runKey, cursor, lastPoint: { pointId: runKey, blobSnapshot: snapshot } } as const
  await base.setState(state, found.etag, signal)
}

function requireOurs(found: BaseBlobProps, { runKey, baseBlobName, epoch }: SealOptions): void {
  if (found.state?.runKey === runKey && found.sequenceNumber <= epoch + 1) return
  throw new BackupError({
    type: 'FencedOut',
    message: `base blob ${baseBlobName} was opened by ${found.state?.runKey ?? 'another product'} while this run was sealing; no point was made, the next run plans anew`,
    facts: { baseBlob: baseBlobName },
  })
}
