/**
 * Finds what a restore is made from: a recovery point, or the base blob as it is now. Reads the target alone and changes
 * nothing.
 *
 * A base blob can be restored only while it is clean, because then it equals the source snapshot of its last point; no seal
 * vouches for that, and the restore is given up when a run opens it meanwhile.
 */
import { BaseBlob, type BaseBlobProps } from '../azure/base-blob.ts'
import { listBlobs } from '../azure/blob-lists.ts'
import { listManifests, readManifest } from '../azure/manifests.ts'
import { listChecks } from '../azure/point-checks.ts'
import { effectiveCursor } from '../domain/backup-plan.ts'
import { describeRanges, type ByteRange } from '../domain/byte-range.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import { isCopied, type AnyManifest } from '../domain/manifest.ts'
import { stripingOfState } from '../domain/base-blob-state.ts'
import { diskPrefix, parseBaseBlobName, stripeBlobName } from '../domain/names.ts'
import { describeSuspicion, rangesToMend, type PointCheck } from '../domain/point-check.ts'
import { newestFirst, recoveryPointOf } from '../domain/recovery-point.ts'
import type { RestoreOrigin, RestoreRequest, SourceChoice } from '../domain/restore-request.ts'
import type { FormerDisk } from '../domain/restored-disk.ts'
import { blobBytesOf } from '../domain/source-disk.ts'
import { stripeSizes } from '../domain/stripes.ts'
import { choosePoint } from './choose-point.ts'
import type { Engine } from './engine.ts'
import { findSealedPoint } from './plan-run.ts'
import { pointBlobOf, pointContentOf, type PointContent } from './restore-job.ts'
import type { SnapshotRef } from './source-snapshot.ts'

export interface RestoreSource {
  readonly origin: RestoreOrigin
  readonly content: PointContent
  /** Bytes of the disk. */
  readonly sizeBytes: number
  readonly disk: FormerDisk
  /** The snapshot that the content was copied from. */
  readonly snapshot?: SnapshotRef
  /** Where a disk of that snapshot is the way to take unless another one is asked for. */
  readonly fastRegion?: string
  /** Nothing is compared with it: its data cannot be read, or what the disk is made from is known to differ from it. */
  readonly isUncompared?: boolean
  readonly warnings: readonly string[]
}

/** @throws BackupError PointNotFound | PointDamaged | BaseBlobNotClean | BaseBlobForeign | InvalidArgument | TargetNotFound */
export async function findRestoreSource(engine: Engine, choice: SourceChoice & Pick<RestoreRequest, 'way'>, signal?: AbortSignal): Promise<RestoreSource> {
  if (choice.isBaseBlob === true) return findBaseBlob(engine, choice, signal)
  const { manifest, check, warnings } = await choosePoint(engine, choice, signal)
  const found = sourceOfPoint(choice.targetUrl, manifest, check)
  const source = { ...found, warnings: [...warnings, ...found.warnings] }
  if (choice.allowsSuspect !== true) return source
  return choice.way === 'source-snapshot' ? fromSource(source, check) : withoutDigests(source)
}

/** The source snapshot shares no damage with the point: it is what the digests were taken of, unless it was what told of the damage. */
function fromSource(source: RestoreSource, check: PointCheck | undefined): RestoreSource {
  if (check?.suspect?.isBySource !== true) return source
  return { ...source, isUncompared: true, warnings: [...source.warnings, SOURCE_ALONE] }
}

/** Who takes what its digests deny gets it as it is: compared with itself. */
function withoutDigests(source: RestoreSource): RestoreSource {
  const { digests, ...content } = source.content
  return digests === undefined ? source : { ...source, content, warnings: [...source.warnings, NO_DIGESTS] }
}

export function sourceOfPoint(targetUrl: string, manifest: AnyManifest, check?: PointCheck): RestoreSource {
  const { disk, takenAt, sizeBytes, source } = manifest
  const common = { content: pointContentOf(targetUrl, manifest), sizeBytes, disk, warnings: [] }
  if (isCopied(manifest)) {
    const { id: snapshotId, uniqueId: snapshotUniqueId, location } = manifest.copiedSnapshot
    const origin = { diskId: disk.id, takenAt, point: recoveryPointOf(manifest, check) }
    const fast = { origin, snapshot: { snapshotId, snapshotUniqueId }, fastRegion: location }
    const isReadable = manifest.verification.result === 'passed'
    return { ...common, ...fast, ...(!isReadable && { isUncompared: true, warnings: [NOT_COMPARED] }) }
  }
  return {
    ...common,
    origin: { diskId: disk.id, takenAt, point: recoveryPointOf(manifest, check), baseBlobName: manifest.baseBlob.name },
    snapshot: { snapshotId: source.snapshotId, snapshotUniqueId: source.snapshotUniqueId },
    warnings: check?.suspect === undefined ? [] : [`point ${manifest.id} is ${describeSuspicion(check.suspect)}`],
  }
}

const NO_DIGESTS = 'a suspect point was allowed, so what is made is compared with the point as it is, and not with its digests'
const SOURCE_ALONE = 'the disk is made from the source snapshot, which differs from the point and its digests, so it is compared with neither'
const NOT_COMPARED = 'the data of the point cannot be read by a restore, so the disk is not compared with it'

/** @throws BackupError BaseBlobNotClean where a run has written to the base blob since the restore was planned. */
export async function requireUnchanged(engine: Engine, content: PointContent, signal?: AbortSignal): Promise<void> {
  if (content.etag === undefined) return
  const found = await pointBlobOf(engine, content).stripes[0]?.properties(signal)
  if (found?.etag === content.etag) return
  throw new BackupError({
    type: 'BaseBlobNotClean',
    message: `base blob ${content.blobs[0]?.name} was changed by a backup while it was restored; nothing was handed over. Restore the point that the backup makes, or an older one`,
    facts: { baseBlob: content.blobs[0]?.name },
  })
}

async function findBaseBlob(engine: Engine, { targetUrl, diskId, allowsSuspect = false }: SourceChoice, signal?: AbortSignal): Promise<RestoreSource> {
  if (diskId === undefined) throw new BackupError({ type: 'InvalidArgument', message: 'a base blob is named by its disk' })
  const { name, props } = await newestBaseBlob(engine, targetUrl, diskId, signal)
  const chain = parseBaseBlobName(name) ?? ''
  const { state, etag } = props
  if (state === undefined) {
    throw new BackupError({ type: 'BaseBlobForeign', message: `${name} in ${targetUrl} was not made by snapferry`, facts: { baseBlob: name } })
  }
  const pending = state.condition === 'dirty' ? await findSealedPoint(engine, targetUrl, chain, state, signal) : undefined
  const cursor = state.condition === 'clean' || pending !== undefined ? effectiveCursor(state, pending !== undefined) : undefined
  if (cursor === undefined) throw notClean(name, state.runKey)
  const striping = stripingOfState(state)
  const blobBytes = blobBytesOf(cursor.sizeBytes)
  const blobs = stripeSizes(striping, blobBytes).map((sizeBytes, stripe) => ({ name: stripeBlobName(name, stripe), sizeBytes }))
  if (props.sizeBytes !== blobs[0]?.sizeBytes) throw notClean(name, state.runKey)
  const damaged = rangesToMend((await listChecks(engine.azure, targetUrl, { chain }, signal)).values())
  if (damaged.length > 0 && !allowsSuspect) throw suspectBlob(name, damaged)
  const manifest = await newestManifest(engine, targetUrl, chain, pending?.pointId ?? state.lastPoint?.pointId, signal)
  return {
    origin: { diskId: state.diskId, baseBlobName: name, ...(manifest.lastTakenAt !== undefined && { takenAt: manifest.lastTakenAt }) },
    content: { targetUrl, striping, blobs, etag, blobBytes },
    sizeBytes: cursor.sizeBytes,
    disk: manifest.of?.disk ?? { location: '', shape: { logicalSectorBytes: 512 } },
    snapshot: { snapshotId: cursor.snapshotId, snapshotUniqueId: cursor.snapshotUniqueId },
    warnings: [UNSEALED, ...(manifest.of === undefined ? [SHAPELESS] : [])],
  }
}

const UNSEALED = 'the base blob is not sealed: it is compared with itself alone, and no verification of a point vouches for it'
const SHAPELESS =
  'no manifest of the disk can be read, so its SKU, OS type, generation and architecture are not known: give --sku, --os-type and --generation'

/** A re-created disk has a base blob an incarnation; the one that was brought forward last is meant. */
async function newestBaseBlob(engine: Engine, targetUrl: string, diskId: string, signal?: AbortSignal) {
  const found: { readonly name: string; readonly props: BaseBlobProps }[] = []
  for await (const { name } of listBlobs(engine.azure, targetUrl, { prefix: diskPrefix(diskId) }, signal)) {
    if (parseBaseBlobName(name) === undefined) continue
    const props = await new BaseBlob(engine.azure, targetUrl, name).properties(signal)
    if (props !== undefined) found.push({ name, props })
  }
  // Keys of runs begin with their instant.
  const [newest] = found.sort((a, b) => (b.props.state?.runKey ?? '').localeCompare(a.props.state?.runKey ?? ''))
  if (newest !== undefined) return newest
  throw new BackupError({ type: 'PointNotFound', message: `${targetUrl} holds no base blob of ${diskId}` })
}

/** The manifest of the last point, else the newest of the chain that can be read: what kind of disk it was. */
async function newestManifest(engine: Engine, targetUrl: string, chain: string, lastPointId: string | undefined, signal?: AbortSignal) {
  const readable: AnyManifest[] = []
  for await (const { blobName } of listManifests(engine.azure, targetUrl, { chain }, signal)) {
    try {
      readable.push(await readManifest(engine.azure, targetUrl, blobName, signal))
    } catch (error) {
      if (!isFailure(error, 'PointDamaged', 'FormatNotSupported', 'PointNotFound')) throw error
    }
  }
  const last = readable.find(({ id }) => id === lastPointId)
  return { of: last ?? newestFirst(readable)[0], lastTakenAt: last?.takenAt }
}

function notClean(name: string, runKey: string): BackupError {
  return new BackupError({
    type: 'BaseBlobNotClean',
    message: `base blob ${name} is being brought forward by run ${runKey}, or was left half-way by it, so it equals no state of the disk; restore a point, or let the next backup end`,
    facts: { baseBlob: name, runKey },
  })
}

function suspectBlob(name: string, damaged: readonly ByteRange[]): BackupError {
  return new BackupError({
    type: 'PointSuspect',
    message: `base blob ${name} shares what was found to be damaged in its points, at ${describeRanges(damaged)}; the next backup mends it. Take it as it is with --allow-suspect`,
    facts: { baseBlob: name },
  })
}
