/**
 * Ends a backup by Azure's own snapshot copy: revokes SAS, applies retention, deletes what no point needs. Also after failure
 * and cancel.
 *
 * Deletes only what carries snapferry's mark for this disk and target and this way of backing up. Works from what it finds, so it
 * also sweeps up behind runs that were terminated. The newest source snapshot stays until a newer one was copied.
 */
import { deleteSnapshot, findSnapshot } from '../azure/snapshots.ts'
import type { ListedSnapshot } from '../azure/snapshot-model.ts'
import { sameArmId } from '../domain/arm-id.ts'
import type { CopiedManifest } from '../domain/manifest.ts'
import { applyRetention, type RetentionRule } from '../domain/retention.ts'
import { requestOf, type SnapshotOwner } from '../domain/tags.ts'
import { forgetCopiedPoint, listCopiedPoints } from './copied-points.ts'
import type { Engine } from './engine.ts'
import { pruneHolds, withoutHeld } from './held-points.ts'
import { listOwnedSnapshots } from './owned-snapshots.ts'
import { trySteps, type TryStep } from './try-steps.ts'

export interface ReleaseCopyOptions {
  readonly targetUrl: string
  readonly chain: string
  readonly runKey: string
  readonly owner: Pick<SnapshotOwner, 'targetKey' | 'diskUniqueId'>
  readonly sourceId: string
  readonly copyId: string
  /** Absent after a run that made no point: then nothing is pruned. */
  readonly retention?: RetentionRule
  readonly signal?: AbortSignal | undefined
}

/** Safe to run twice. Returns what could not be done and why. */
export async function releaseCopy(engine: Engine, options: ReleaseCopyOptions): Promise<string[]> {
  const { sourceId, copyId, retention, signal } = options
  const { tryStep, warnings } = trySteps()
  for (const id of [sourceId, copyId]) await tryStep(() => engine.exports.revoke(id, signal))
  const { points, unreadable } = await listCopiedPoints(engine, options, signal)
  const { remove } = retention === undefined ? { remove: [] } : applyRetention(points, retention)
  const goes = new Set(await withoutHeld(engine, remove, options))
  const keep = points.filter((point) => !goes.has(point))
  // The manifest goes first: a point is never listed without its bytes. From here on its snapshot is spare.
  for (const { id } of goes) await tryStep(() => forgetCopiedPoint(engine, options, id, signal))
  const newest = keep[0]
  // One that the run before could not revoke; it stands in nobody's way, but nobody else would end it.
  const before = keep.find(({ id }) => id !== options.runKey)
  if (before !== undefined) await tryStep(() => endAccess(engine, before.copiedSnapshot.id, signal))
  // Copies before their sources: while one is under way its source must stay.
  const copies = [copyId, ...points.map(({ copiedSnapshot }) => copiedSnapshot.id)]
  const sources = [sourceId, ...points.map(({ source }) => source.snapshotId)]
  const listOwned = (role: 'copied-snapshot' | 'copy-source', known: readonly string[]) => listOwnedSnapshots(engine, { ...options.owner, role }, known, tryStep, signal)
  await tryStep(async () => deleteSpare(engine, options, await listOwned('copied-snapshot', copies), newest?.copiedSnapshot.id, ({ id, tags }) => isCopyOf(keep, id) || unreadable.has(requestOf(tags) ?? ''), tryStep))
  await tryStep(async () => {
    const newestId = newest?.source.snapshotId
    await deleteSpare(engine, options, await listOwned('copy-source', sources), newestId, ({ id }) => newestId !== undefined && sameArmId(newestId, id), tryStep)
  })
  await tryStep(() => pruneHolds(engine, options))
  return warnings()
}

/** Who reads it at this time takes a new SAS and goes on. */
async function endAccess(engine: Engine, snapshotId: string, signal: AbortSignal | undefined): Promise<void> {
  const snapshot = await findSnapshot(engine.azure, snapshotId, signal)
  if (/^activesas/i.test(snapshot?.diskState ?? '')) await engine.exports.revoke(snapshotId, signal)
}

/**
 * The run's own where it made no point, and those that are older than the newest point's: what is newer may belong to a run that is
 * open elsewhere.
 */
async function deleteSpare(
  engine: Engine,
  { runKey, signal }: ReleaseCopyOptions,
  found: readonly ListedSnapshot[],
  newestId: string | undefined,
  isNeeded: (snapshot: ListedSnapshot) => boolean,
  tryStep: TryStep,
): Promise<void> {
  const newestAt = found.find(({ id }) => newestId !== undefined && sameArmId(id, newestId))?.takenAt
  for (const snapshot of found) {
    const { id, takenAt, tags } = snapshot
    const isOld = newestAt !== undefined && takenAt !== '' && Date.parse(takenAt) < Date.parse(newestAt)
    if (!isNeeded(snapshot) && (isOld || requestOf(tags) === runKey)) await tryStep(() => deleteSnapshot(engine.azure, id, signal))
  }
}

function isCopyOf(points: readonly CopiedManifest[], id: string): boolean {
  return points.some(({ copiedSnapshot }) => sameArmId(copiedSnapshot.id, id))
}
