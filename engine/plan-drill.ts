/** Chooses the point that a drill restores, and clears away the disk of an earlier drill that was ended by force. */
import { findDisk } from '../azure/disks.ts'
import { listPoints } from '../azure/manifests.ts'
import { drillBegunMs, pointToDrill, type DrillRule } from '../domain/drill.ts'
import { BackupError } from '../domain/failures.ts'
import { isCopied, type AnyManifest, type CopiedManifest, type PointDigests } from '../domain/manifest.ts'
import { describePassedOver } from '../domain/point-trust.ts'
import { requestOf } from '../domain/tags.ts'
import { choosePoint } from './choose-point.ts'
import type { Engine } from './engine.ts'
import { deleteRestoredDisk } from './release-restore.ts'
import { pointContentOf, type RestoreJob } from './restore-job.ts'

export interface DrillRequest {
  readonly targetUrl: string
  readonly diskId: string
  /** A point by its id; default: as `which` says. */
  readonly pointId?: string
  readonly which: DrillRule['point']
  /** Where `which` is random, the same seed takes the same point. */
  readonly seed: string
  readonly toDiskId: string
  readonly timeoutMinutes: number
  /** ISO instant. */
  readonly now: string
}

export interface PlannedDrill {
  readonly point: { readonly id: string; readonly takenAt: string; readonly sizeBytes: number }
  readonly job: RestoreJob
  /** Absent: the point was made without. */
  readonly digests?: PointDigests
  readonly warnings: readonly string[]
}

/** @throws BackupError PointNotFound | PointSuspect | PointDamaged | TargetNotFound */
export async function planDrill(engine: Engine, request: DrillRequest, signal?: AbortSignal): Promise<PlannedDrill> {
  const { targetUrl, toDiskId } = request
  await clearLeftover(engine, request, signal)
  const warnings: string[] = []
  const manifest = await manifestFor(engine, request, warnings, signal)
  const { id, takenAt, sizeBytes } = manifest
  const digests = isCopied(manifest) ? undefined : manifest.digests
  if (isCopied(manifest)) requireReadable(manifest)
  if (digests === undefined) warnings.push(`point ${id} has no digests, so the disk is compared with the bytes of the point itself`)
  return {
    point: { id, takenAt, sizeBytes },
    job: { ...pointContentOf(targetUrl, manifest), toDiskId },
    ...(digests !== undefined && { digests }),
    warnings,
  }
}

async function manifestFor(engine: Engine, request: DrillRequest, warnings: string[], signal?: AbortSignal): Promise<AnyManifest> {
  const { targetUrl, diskId, pointId, which, seed } = request
  if (pointId !== undefined) return (await choosePoint(engine, { targetUrl, diskId, pointId }, signal)).manifest
  const { points, damaged, checks } = await listPoints(engine.azure, targetUrl, { diskId }, signal)
  const found = pointToDrill(points, checks, which, seed)
  // Says why there is none, in the words of a restore.
  if (found === undefined) return (await choosePoint(engine, { targetUrl, diskId }, signal)).manifest
  for (const point of found.passedOver) warnings.push(describePassedOver({}, point, checks.get(point.id)))
  for (const { blobName, reason } of damaged) warnings.push(`${blobName} cannot be restored: ${reason}`)
  return (await choosePoint(engine, { targetUrl, diskId, pointId: found.point.id }, signal)).manifest
}

/** A drill that was terminated could not delete its disk. One that may still be at work is left alone, and its name counts as taken. */
async function clearLeftover(engine: Engine, { toDiskId, timeoutMinutes, now }: DrillRequest, signal?: AbortSignal): Promise<void> {
  const found = await findDisk(engine.azure, toDiskId, signal)
  const begunMs = drillBegunMs(requestOf(found?.tags))
  if (found === undefined || begunMs === undefined) return
  // Cleaning up has an hour beside the time of the drill itself.
  if (!(begunMs + (timeoutMinutes + 60) * 60_000 < Date.parse(now))) return
  await deleteRestoredDisk(engine, { id: toDiskId, tags: found.tags }, signal)
}

/** A copied snapshot has no digests: a drill can say something of it only where its data can be read. */
function requireReadable({ id, verification }: CopiedManifest): void {
  if (verification.result === 'passed') return
  throw new BackupError({
    type: 'InvalidArgument',
    message: `point ${id} is an Azure snapshot (engine copy-start) whose data cannot be read, so a drill could compare nothing; restore it by hand, or drill a point in a base blob`,
    facts: { pointId: id },
  })
}
