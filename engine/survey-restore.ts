/**
 * What a restore would do, before anything is made: from what, by which way, how much, how long, whether the name is free, the
 * rights are there and the quota reaches. Makes nothing; what cannot be found out is said to be unknown.
 */
import { diskQuota } from '../azure/quotas.ts'
import { parseArmId } from '../domain/arm-id.ts'
import { secondsAtLimit } from '../domain/blob-budget.ts'
import { cut, lengthOf, MAX_WRITE_BYTES } from '../domain/byte-range.ts'
import type { QuotaUsage } from '../domain/disk-quota.ts'
import { isFailure } from '../domain/failures.ts'
import { costOf, type Prices, type RestoreCost } from '../domain/restore-cost.ts'
import type { RestoreOrigin, RestoreRequest, RestoreWay } from '../domain/restore-request.ts'
import type { DiskSettings, DiskShape } from '../domain/source-disk.ts'
import type { Engine } from './engine.ts'
import { draftRestore, findNameTaken, type PlannedRestore } from './plan-restore.ts'
import { pointImageOf, releasePoint } from './point-image.ts'
import type { PointContent } from './restore-job.ts'
import { checkRights, type RightsReport } from './restore-rights.ts'
import { obstacleToSourceSnapshot } from './source-snapshot.ts'

export interface RestoreSurvey extends RightsReport {
  readonly origin: RestoreOrigin
  readonly way: RestoreWay
  /** ARM id of what is made. */
  readonly makes: string
  /** The disk that the snapshot is taken of. */
  readonly temporaryDiskId?: string
  readonly region: string
  readonly sizeBytes: number
  readonly shape: DiskShape
  /** What it gets when it is handed over. */
  readonly settings: DiskSettings
  /** Bytes that are held: what an upload copies. */
  readonly contentBytes: number
  readonly requests: number
  /** Absent: by this way Azure copies by itself, as fast as it does. */
  readonly estimatedSeconds?: number
  /** The fast way, where it is another one: a disk from the source snapshot. */
  readonly sourceSnapshot: { readonly id?: string; readonly isUsable: boolean; readonly reason?: string }
  readonly cost: RestoreCost
  readonly quota: QuotaUsage | 'unknown'
  /** What stands under the name already. */
  readonly nameTaken?: string
  readonly warnings: readonly string[]
}

/** @throws BackupError PointNotFound | PointDamaged | BaseBlobNotClean | TargetNotFound | InvalidResourceId */
export async function surveyRestore(engine: Engine, request: RestoreRequest, prices: Prices = {}, signal?: AbortSignal): Promise<RestoreSurvey> {
  const plan = await draftRestore(engine, request, signal)
  const { origin, job, filling, disk, snapshot, warnings } = plan
  const { contentBytes, requests } = plan.isUncompared === true ? { contentBytes: 0, requests: 0 } : await measure(engine, job, signal)
  await releasePoint(engine, job, signal)
  const nameTaken = await whereReadable(() => findNameTaken(engine, plan, signal))
  const usage = { egressBytes: filling.kind === 'upload' ? contentBytes : 0, readRequests: requests, diskBytes: disk.sizeBytes }
  return {
    origin,
    way: filling.kind,
    makes: snapshot?.id ?? disk.id,
    ...(snapshot !== undefined && { temporaryDiskId: disk.id }),
    region: disk.location,
    sizeBytes: disk.sizeBytes,
    shape: disk.shape,
    settings: plan.settings,
    contentBytes,
    requests,
    ...(filling.kind === 'upload' && { estimatedSeconds: secondsAtLimit(contentBytes, requests) }),
    sourceSnapshot: await findFastWay(engine, plan, signal),
    cost: costOf(usage, prices),
    quota: await quotaFor(engine, plan, signal),
    ...(nameTaken !== undefined && { nameTaken }),
    ...(await checkRights(engine, plan, signal)),
    warnings,
  }
}

/** Whether the restore can go ahead, as far as is known. */
export function obstaclesOf({ nameTaken, isGroupMissing, rights, makes, way, sourceSnapshot, quota }: RestoreSurvey): string[] {
  return [
    ...(nameTaken === undefined ? [] : [`${nameTaken} exists already; choose another name`]),
    ...(isGroupMissing ? [`the resource group or subscription of ${makes} is not there; make it first`] : []),
    ...(way === 'source-snapshot' && !sourceSnapshot.isUsable ? [sourceSnapshot.reason ?? 'there is no source snapshot'] : []),
    ...(quota !== 'unknown' && quota.used >= quota.limit
      ? [`quota ${quota.name} is used up (${quota.used} of ${quota.limit}); ask for more, or choose another SKU or region`]
      : []),
    ...rights.filter(({ isPresent }) => isPresent === false).map(({ action }) => `the identity lacks the right ${action}`),
  ]
}

async function measure(engine: Engine, point: PointContent, signal?: AbortSignal): Promise<{ contentBytes: number; requests: number }> {
  let contentBytes = 0
  let requests = 0
  const window = { startBytes: 0, endBytes: point.blobBytes }
  for await (const range of pointImageOf(engine, point).allocated(window, signal)) {
    contentBytes += lengthOf(range)
    requests += [...cut(range, MAX_WRITE_BYTES)].length
  }
  return { contentBytes, requests }
}

/** Whether a disk can be made from the source snapshot, also where that is not asked for. */
async function findFastWay(engine: Engine, plan: PlannedRestore, signal?: AbortSignal): Promise<RestoreSurvey['sourceSnapshot']> {
  const { sourceSnapshot } = plan
  if (sourceSnapshot === undefined) return { isUsable: false }
  const reason = await obstacleToSourceSnapshot(engine, sourceSnapshot, plan, signal)
  return { id: sourceSnapshot.snapshotId, isUsable: reason === undefined, ...(reason !== undefined && { reason }) }
}

async function quotaFor(engine: Engine, { disk }: PlannedRestore, signal?: AbortSignal): Promise<QuotaUsage | 'unknown'> {
  const { subscriptionId } = parseArmId(disk.id, 'disks')
  try {
    return (await diskQuota(engine.azure, { subscriptionId, region: disk.location, sku: disk.shape.sku }, signal)) ?? 'unknown'
  } catch (error) {
    if (isFailure(error)) return 'unknown'
    throw error
  }
}

/** What may not be read is told of by the rights. */
async function whereReadable(ask: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (isFailure(error, 'AccessDenied')) return undefined
    throw error
  }
}
