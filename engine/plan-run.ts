/** Gathers the facts that a plan is decided from: the disk, the base blob, its newest point and the cursor snapshot. Changes nothing but the target's marker. */
import { BaseBlob } from '../azure/base-blob.ts'
import { getDisk } from '../azure/disks.ts'
import { findManifest } from '../azure/manifests.ts'
import { listChecks } from '../azure/point-checks.ts'
import { findSnapshot } from '../azure/snapshots.ts'
import { checkTarget } from '../azure/target.ts'
import { effectiveCursor, planBackup, type BackupPlan } from '../domain/backup-plan.ts'
import { listStripes } from '../azure/stripe-lists.ts'
import {
  sealedPointOf,
  snapshotsOfPoint,
  stripingOfState,
  type BaseBlobState,
  type SealedPoint,
} from '../domain/base-blob-state.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { BackupError, isFailure } from '../domain/failures.ts'
import { chooseStriping } from '../domain/choose-striping.ts'
import { baseBlobName, chainPrefix } from '../domain/names.ts'
import { isCopied, pointBlobsOf } from '../domain/manifest.ts'
import { rangesToMend } from '../domain/point-check.ts'
import { blobBytesOf, type SourceDisk } from '../domain/source-disk.ts'
import type { Striping } from '../domain/stripes.ts'
import type { Engine } from './engine.ts'
import type { PlannedBase } from './open-base-blob.ts'
import { withAttachment } from './read-attachment.ts'

export interface PlannedRun {
  readonly disk: SourceDisk
  /** Prefix of everything that belongs to this incarnation of the disk. */
  readonly chain: string
  readonly baseBlobName: string
  readonly striping: Striping
  readonly plan: BackupPlan
  readonly planned?: PlannedBase
  /** Found to be damaged since it was written. */
  readonly mend?: readonly ByteRange[]
}

export interface PlanRequest {
  readonly diskId: string
  readonly targetUrl: string
  /** How many were asked for. */
  readonly stripes?: number
}

/**
 * Checks the target before anything is made.
 *
 * @throws BackupError SourceDiskNotFound, TargetNotFound, TargetNotSupported, AccessDenied, and the type of a refusal.
 */
export async function planRun(engine: Engine, request: PlanRequest, signal?: AbortSignal): Promise<PlannedRun> {
  const { azure } = engine
  const { targetUrl, stripes: asked } = request
  const disk = await withAttachment(engine, await getDisk(azure, request.diskId, signal), signal)
  await checkTarget(azure, targetUrl, signal)
  const chain = chainPrefix(disk.id, disk.uniqueId)
  const blobName = baseBlobName(disk.id, disk.uniqueId)
  const found = await new BaseBlob(azure, targetUrl, blobName).properties(signal)
  const common = { disk, chain, baseBlobName: blobName }
  const blobBytes = blobBytesOf(disk.sizeBytes)
  if (found === undefined) {
    return { ...common, striping: chooseStriping(blobBytes, { asked }), plan: acceptPlan(planBackup({ disk })) }
  }

  const { state } = found
  if (state === undefined) throw foreignBlob(blobName, targetUrl)
  const pending = state.condition === 'dirty' ? await findSealedPoint(engine, targetUrl, chain, state, signal) : undefined
  const lastPoint = pending ?? state.lastPoint
  const cursor = effectiveCursor(state, pending !== undefined)
  const cursorSnapshot = cursor === undefined ? undefined : await findSnapshot(azure, cursor.snapshotId, signal)
  const striping = chooseStriping(blobBytes, { asked, present: stripingOfState(state) })
  const plan = planBackup({
    disk,
    striping,
    base: {
      sizeBytes: found.sizeBytes,
      state,
      isPendingSealed: pending !== undefined,
      isLastPointPresent: lastPoint !== undefined && (await hasSnapshots(engine, blobName, targetUrl, lastPoint, signal)),
    },
    ...(cursorSnapshot !== undefined && { cursorSnapshot }),
  })
  const mend = rangesToMend((await listChecks(azure, targetUrl, { chain }, signal)).values())
  return {
    ...common,
    striping,
    plan: acceptPlan(plan),
    ...(mend.length > 0 && { mend }),
    planned: {
      runKey: state.runKey,
      condition: state.condition,
      // What was written under another layout is measured against nothing.
      ...(!isDealtAnew(plan) && cursor !== undefined && { cursor }),
      ...(!isDealtAnew(plan) && lastPoint !== undefined && { lastPoint }),
    },
  }
}

function isDealtAnew(plan: ReturnType<typeof planBackup>): boolean {
  return plan.kind === 'reseed' && plan.cause === 'LayoutChanged'
}

function acceptPlan(plan: ReturnType<typeof planBackup>): BackupPlan {
  if (plan.kind !== 'refuse') return plan
  throw new BackupError({ type: plan.type, message: `${plan.reason}; nothing was made`, facts: {} })
}

/**
 * The point of the run that left the base blob dirty, if it got as far as its manifest: then only its last mark is missing. One
 * whose manifest is damaged since counts as not sealed: what it wrote is then measured against the point before it.
 */
export async function findSealedPoint(
  engine: Engine,
  targetUrl: string,
  chain: string,
  state: BaseBlobState,
  signal?: AbortSignal,
): Promise<SealedPoint | undefined> {
  try {
    const manifest = await findManifest(engine.azure, targetUrl, chain, state.runKey, signal)
    if (manifest === undefined || isCopied(manifest)) return undefined
    return sealedPointOf(state.runKey, pointBlobsOf(manifest).map(({ snapshot }) => snapshot))
  } catch (error) {
    if (isFailure(error, 'PointDamaged')) return undefined
    throw error
  }
}

async function hasSnapshots(engine: Engine, blobName: string, targetUrl: string, point: SealedPoint, signal?: AbortSignal): Promise<boolean> {
  const missing = new Map(snapshotsOfPoint(point).entries())
  for await (const { stripe, snapshot } of listStripes(engine.azure, targetUrl, blobName, signal)) {
    if (missing.get(stripe) === snapshot) missing.delete(stripe)
  }
  return missing.size === 0
}

function foreignBlob(blobName: string, targetUrl: string): BackupError {
  return new BackupError({
    type: 'BaseBlobForeign',
    message: `${blobName} in ${targetUrl} was not made by snapferry; nothing was touched. Move it away or choose another container`,
    facts: { blobName },
  })
}
