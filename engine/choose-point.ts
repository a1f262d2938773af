/** Finds the recovery point that somebody means, or says why there is none. Reads the target alone and changes nothing. */
import { listPoints, type DamagedPoint } from '../azure/manifests.ts'
import { findSnapshot } from '../azure/snapshots.ts'
import { BackupError } from '../domain/failures.ts'
import { isCopied, type AnyManifest } from '../domain/manifest.ts'
import { describeSuspicion, type PointCheck } from '../domain/point-check.ts'
import { describePassedOver, isRefusedAsSuspect, isTrusted, NEVER_COMPARED, type Trust } from '../domain/point-trust.ts'
import { diskKeyOf, isRunUntil, parseManifestName } from '../domain/names.ts'
import { newestAt, newestFirst } from '../domain/recovery-point.ts'
import type { PointChoice } from '../domain/restore-request.ts'
import { stripeSizes } from '../domain/stripes.ts'
import { hasVhdCookie } from '../domain/vhd-footer.ts'
import type { Engine } from './engine.ts'
import { explainTarget, inspectTarget } from './inspect-target.ts'
import { pointBlobOf, pointContentOf } from './restore-job.ts'
import { restoreFooterOf } from './restore-route.ts'

export interface ChosenPoint {
  readonly manifest: AnyManifest
  /** What was found out since it was sealed. */
  readonly check: PointCheck | undefined
  /** What somebody should know who did not name the point. */
  readonly warnings: readonly string[]
}

/** @throws BackupError PointNotFound | PointDamaged | PointSuspect | InvalidArgument | TargetNotFound */
export async function choosePoint(engine: Engine, choice: PointChoice, signal?: AbortSignal): Promise<ChosenPoint> {
  const { targetUrl, pointId, diskId, at } = choice
  const { points, damaged, checks } = await listPoints(engine.azure, targetUrl, diskId === undefined ? {} : { diskId }, signal)
  const chosen = async (found: AnyManifest, warnings: readonly string[] = []): Promise<ChosenPoint> => ({
    manifest: await requireWhole(engine, targetUrl, found, signal),
    check: checks.get(found.id),
    warnings,
  })
  if (pointId !== undefined) {
    const found = points.find((point) => point.id === pointId)
    if (found !== undefined) {
      requireTrust(choice, found, checks.get(pointId))
      return chosen(found)
    }
    const broken = damaged.find(({ blobName }) => blobName.endsWith(`/${pointId}.json`))
    if (broken === undefined) throw await notFound(engine, targetUrl, `point ${pointId} is not in ${targetUrl}`, signal)
    throw pointDamaged(pointId, broken.reason)
  }
  if (diskId === undefined) throw new BackupError({ type: 'InvalidArgument', message: 'a restore needs a point or a disk' })
  const until = at ?? '9999-12-31T00:00:00Z'
  const found = newestAt(points.filter(({ id }) => isTrusted(choice, checks.get(id))), until)
  const broken = brokenUntil(damaged, until)
  if (found !== undefined) {
    const upTo = newestFirst(points).filter(({ takenAt }) => Date.parse(takenAt) <= Date.parse(until))
    const passedOver = upTo.slice(0, upTo.indexOf(found)).map((point) => describePassedOver(choice, point, checks.get(point.id)))
    const unreadable = broken.filter(({ pointId: id }) => id > found.id).map(({ blobName, reason }) => `damaged, passed over: ${blobName}: ${reason}`)
    return chosen(found, [...passedOver, ...unreadable, ...warnOfEarlier(found, points)])
  }
  const newest = newestAt(points, until)
  if (newest !== undefined) requireTrust(choice, newest, checks.get(newest.id))
  if (broken[0] !== undefined) throw pointDamaged(broken[0].pointId, broken[0].reason)
  if (points.length === 0) {
    throw await notFound(engine, targetUrl, `${targetUrl} holds no point of ${diskId} (${diskKeyOf(diskId)})`, signal)
  }
  throw new BackupError({
    type: 'PointNotFound',
    message: `no point of ${diskId} in ${targetUrl} is as old as ${at}; the oldest holds ${newestFirst(points).at(-1)?.takenAt}`,
  })
}

/** Newest first. Ids begin with the instant of their run, so they tell the order also where nothing else can be read. */
function brokenUntil(damaged: readonly DamagedPoint[], until: string): (DamagedPoint & { readonly pointId: string })[] {
  return damaged
    .map((one) => ({ ...one, pointId: parseManifestName(one.blobName)?.pointId ?? '' }))
    .filter(({ pointId }) => isRunUntil(pointId, until))
    .sort((a, b) => b.pointId.localeCompare(a.pointId))
}

/** A disk that is made anew is mostly empty at first: who wants the newest point may mean the disk that was there before. */
export function warnOfEarlier({ id, takenAt, disk }: AnyManifest, points: readonly AnyManifest[]): string[] {
  const earlier = newestAt(points.filter((point) => point.disk.uniqueId !== disk.uniqueId), takenAt)
  if (earlier === undefined) return []
  const what = `disk ${disk.name} was deleted and made anew, and point ${id} is of the new one`
  return [`RE-CREATED: ${what}; the newest point of the earlier one holds ${earlier.takenAt}: --point ${earlier.id}`]
}

/** @throws BackupError PointSuspect | PointNotFound */
function requireTrust(choice: Trust, { id, takenAt }: AnyManifest, check: PointCheck | undefined): void {
  if (isTrusted(choice, check)) return
  const facts = { pointId: id }
  if (!isRefusedAsSuspect(choice, check)) {
    const message = `point ${id} of ${takenAt} ${NEVER_COMPARED}; "snapferry verify run" does it`
    throw new BackupError({ type: 'PointNotFound', message, facts })
  }
  throw new BackupError({
    type: 'PointSuspect',
    message: `point ${id} of ${takenAt} is ${describeSuspicion(check.suspect)}; take another point, or this one with --allow-suspect`,
    facts,
  })
}

/** A manifest that does not fit its blob snapshot is found out before anything is made. */
async function requireWhole(engine: Engine, targetUrl: string, manifest: AnyManifest, signal?: AbortSignal): Promise<AnyManifest> {
  if (isCopied(manifest)) {
    const { id, uniqueId } = manifest.copiedSnapshot
    const found = await findSnapshot(engine.azure, id, signal)
    if (found?.uniqueId === uniqueId && found.sizeBytes === manifest.sizeBytes) return manifest
    throw pointDamaged(manifest.id, `snapshot ${id} is ${found === undefined ? 'gone' : 'not the one that was copied'}`)
  }
  const point = pointContentOf(targetUrl, manifest)
  const blob = pointBlobOf(engine, point)
  const wantedBytes = stripeSizes(point.striping, point.blobBytes)
  for (const [stripe, sizeBytes] of (await blob.sizesOfSnapshots(signal)).entries()) {
    if (sizeBytes === wantedBytes[stripe]) continue
    const what = `its blob snapshot of ${blob.stripes[stripe]?.name} has ${sizeBytes} bytes`
    throw pointDamaged(manifest.id, `${what} and not the ${wantedBytes[stripe]} that the manifest tells of`)
  }
  const footer = await blob.read(restoreFooterOf(point), signal)
  if (!hasVhdCookie(footer)) throw pointDamaged(manifest.id, 'its blob snapshot does not end with the footer of a VHD')
  return manifest
}

function pointDamaged(pointId: string, reason: string): BackupError {
  return new BackupError({ type: 'PointDamaged', message: `point ${pointId} cannot be restored: ${reason}`, facts: { pointId } })
}

async function notFound(engine: Engine, targetUrl: string, what: string, signal?: AbortSignal): Promise<BackupError> {
  const why = explainTarget(await inspectTarget(engine.azure, targetUrl, signal))
  const hint = '"snapferry points list" shows what there is'
  return new BackupError({ type: 'PointNotFound', message: `${what}: ${why.length === 0 ? hint : why.join('; ')}` })
}
