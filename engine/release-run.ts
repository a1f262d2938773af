/**
 * Ends a run: revokes its SAS, deletes what is spare, applies retention. Also after failure and cancel.
 *
 * Deletes only what carries snapferry's mark for this disk and target, and never the cursor. Works from what it finds, not from
 * what the run remembers, so it also sweeps up behind runs that were terminated. What may not be deleted is told, not fatal.
 */
import { BaseBlob } from '../azure/base-blob.ts'
import { deleteManifest, listManifests, readManifest } from '../azure/manifests.ts'
import { listStripes, type ListedStripe } from '../azure/stripe-lists.ts'
import { deleteSnapshot } from '../azure/snapshots.ts'
import { stripingOfState, type BaseBlobState } from '../domain/base-blob-state.ts'
import { effectiveCursor } from '../domain/backup-plan.ts'
import { sameArmId } from '../domain/arm-id.ts'
import { FencedBlob } from '../azure/fenced-blob.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { isFailure } from '../domain/failures.ts'
import { isTransferred, pointBlobsOf, type Manifest, type PointBlob } from '../domain/manifest.ts'
import { manifestName } from '../domain/names.ts'
import { applyRetention, type RetentionRule } from '../domain/retention.ts'
import { requestOf, type SnapshotOwner } from '../domain/tags.ts'
import { ourSnapshotsOf, type OurSnapshot } from './blob-snapshots.ts'
import type { Engine } from './engine.ts'
import { pruneHolds, withoutHeld } from './held-points.ts'
import { listOwnedSnapshots } from './owned-snapshots.ts'
import { listTableSnapshots, pruneTableSnapshots } from './prune-digests.ts'
import { tidyChecks } from './tidy-checks.ts'
import { findSealedPoint } from './plan-run.ts'
import { pruneTemporaries } from './prune-temporaries.ts'
import { pruneStripes } from './prune-stripes.ts'
import { trySteps, type TryStep } from './try-steps.ts'

export interface ReleaseOptions {
  readonly targetUrl: string
  readonly baseBlobName: string
  readonly chain: string
  readonly runKey: string
  /** Which source snapshots belong to this disk and target. */
  readonly owner: SnapshotOwner
  /** The run's snapshot and its cursor: what it may have granted access to. */
  readonly granted: readonly string[]
  /** Absent after a run that made no point: then nothing is pruned. */
  readonly retention?: RetentionRule
  /** What the run read again because it was damaged; only where it made a point. */
  readonly mended?: readonly ByteRange[]
  readonly signal?: AbortSignal | undefined
}

/** Safe to run twice. Returns what could not be done and why. */
export async function releaseRun(engine: Engine, options: ReleaseOptions): Promise<string[]> {
  const { tryStep, warnings } = trySteps()
  for (const snapshotId of options.granted) await tryStep(() => engine.exports.revoke(snapshotId, options.signal))
  let sources: readonly string[] = []
  await tryStep(async () => {
    sources = await pruneTarget(engine, options, tryStep)
  })
  await tryStep(() => pruneTemporaries(engine, options))
  await tryStep(() => pruneHolds(engine, options))
  await tryStep(() => pruneSource(engine, options, sources, tryStep))
  return warnings()
}

/**
 * Looks at tables, snapshots, state and manifests in this order, which is the reverse of how a point is made: then a snapshot that another
 * run has just taken is never without both its run's mark and its manifest, and is left alone.
 *
 * @returns the source snapshots of the points that it found, whether they are still there or not.
 */
async function pruneTarget(engine: Engine, options: ReleaseOptions, tryStep: TryStep): Promise<readonly string[]> {
  const { retention, signal } = options
  const tables = await listTableSnapshots(engine, options, signal)
  const listed: ListedStripe[] = []
  for await (const blob of listStripes(engine.azure, options.targetUrl, options.baseBlobName, signal)) listed.push(blob)
  const snapshots = ourSnapshotsOf(listed)
  const state = await readState(engine, options)
  const openRun = openRunOf(state, options)
  const points = await readPoints(engine, options)
  // A point whose bytes somebody deleted must not push one that can be restored out of the retention.
  const isThere = ({ name, snapshot }: PointBlob): boolean => snapshots.some((one) => one.blobName === name && one.snapshot === snapshot)
  const restorable = [...points.readable.values()].filter((point) => pointBlobsOf(point).every(isThere))
  const { remove } = retention === undefined ? { remove: [] } : applyRetention(restorable, retention)
  for (const point of await withoutHeld(engine, remove, options)) {
    // The manifest goes first: a point is never listed without its bytes. From here on its blob snapshot is spare.
    await tryStep(async () => {
      await deleteManifest(engine.azure, options.targetUrl, manifestName(options.chain, point.id), signal)
      points.names.delete(point.id)
    })
  }
  const spare = snapshots.filter((one) => one.runKey !== openRun && isSpare(one, points))
  const deleted: OurSnapshot[] = []
  for (const one of spare) {
    await tryStep(async () => {
      await new FencedBlob(engine.azure, options.targetUrl, one.blobName).deleteSnapshot(one.snapshot, signal)
      deleted.push(one)
    })
  }
  if (state !== undefined && openRun === undefined) {
    await tryStep(() => pruneStripes(engine, options.targetUrl, stripingOfState(state), listed, deleted, signal))
  }
  // Nor are the digests of bytes that are gone of use. Tables were listed first: whose is there has its blob snapshots, if they still are.
  const gone = new Set([...points.readable.keys()].filter((id) => !restorable.some((point) => point.id === id)))
  const named = { ...points, names: new Set([...points.names].filter((id) => !gone.has(id))) }
  await pruneTableSnapshots(engine, options, tables, openRun, named, tryStep, signal)
  await tidyChecks(engine, options, points.names, tryStep, signal)
  return [...points.readable.values()].map(({ source }) => source.snapshotId)
}

interface Points {
  /** Ids of all points, by the names of their manifests. */
  readonly names: Set<string>
  readonly readable: ReadonlyMap<string, Manifest>
}

async function readPoints(engine: Engine, { targetUrl, chain, baseBlobName, signal }: ReleaseOptions): Promise<Points> {
  const names = new Set<string>()
  const readable = new Map<string, Manifest>()
  for await (const { blobName, pointId } of listManifests(engine.azure, targetUrl, { chain }, signal)) {
    names.add(pointId)
    try {
      const manifest = await readManifest(engine.azure, targetUrl, blobName, signal)
      // A copy that somebody laid beside it must not count as another point, nor lead to the deletion of the first.
      if (isTransferred(manifest) && manifest.id === pointId && manifest.baseBlob.name === baseBlobName) readable.set(pointId, manifest)
    } catch (error) {
      // What cannot be read is neither counted nor deleted, nor is its snapshot.
      if (!isFailure(error, 'PointDamaged', 'FormatNotSupported', 'PointNotFound')) throw error
    }
  }
  return { names, readable }
}

async function readState(engine: Engine, { targetUrl, baseBlobName, signal }: ReleaseOptions): Promise<BaseBlobState | undefined> {
  return (await new BaseBlob(engine.azure, targetUrl, baseBlobName).properties(signal))?.state
}

/** Another run that holds the base blob: what it has made so far is its own. */
function openRunOf(state: BaseBlobState | undefined, { runKey }: ReleaseOptions): string | undefined {
  return state?.condition === 'dirty' && state.runKey !== runKey ? state.runKey : undefined
}

/** Markers, points that never got their manifest, and doubles of a sealed point. */
function isSpare({ blobName, snapshot, runKey, kind }: OurSnapshot, points: Points): boolean {
  const point = points.readable.get(runKey)
  const isDouble = point !== undefined && !pointBlobsOf(point).some((blob) => blob.name === blobName && blob.snapshot === snapshot)
  return kind === 'marker' || !points.names.has(runKey) || isDouble
}

/** Source snapshots older than the cursor, and this run's own where it made no point. Newer ones may belong to a run that is open elsewhere. */
async function pruneSource(
  engine: Engine,
  options: ReleaseOptions,
  sources: readonly string[],
  tryStep: TryStep,
): Promise<void> {
  const { targetUrl, chain, owner, runKey, signal } = options
  const state = await readState(engine, options)
  const pending = state?.condition === 'dirty' ? await findSealedPoint(engine, targetUrl, chain, state, signal) : undefined
  const cursor = state === undefined ? undefined : effectiveCursor(state, pending !== undefined)
  const isCursor = (id: string): boolean => cursor !== undefined && sameArmId(id, cursor.snapshotId)
  const known = [...options.granted, ...(cursor === undefined ? [] : [cursor.snapshotId]), ...sources]
  const snapshots = await listOwnedSnapshots(engine, owner, known, tryStep, signal)
  const cursorTakenAt = snapshots.find(({ id }) => isCursor(id))?.takenAt
  for (const { id, takenAt, tags } of snapshots) {
    const isOld = cursorTakenAt !== undefined && Date.parse(takenAt) < Date.parse(cursorTakenAt)
    if (!isCursor(id) && (isOld || requestOf(tags) === runKey)) await tryStep(() => deleteSnapshot(engine.azure, id, signal))
  }
}
