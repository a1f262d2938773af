/** Gathers what a backup by Azure's own snapshot copy is planned from. Changes nothing but the target's marker. */
import { getDisk } from '../azure/disks.ts'
import { findManifest } from '../azure/manifests.ts'
import { findSnapshot } from '../azure/snapshots.ts'
import { checkTarget } from '../azure/target.ts'
import { BackupError } from '../domain/failures.ts'
import { chainPrefix, recoveryPointId, type RequestKey } from '../domain/names.ts'
import type { CopyPlace } from '../domain/policy.ts'
import { isSameRegion } from '../domain/region.ts'
import type { SourceDisk } from '../domain/source-disk.ts'
import { listCopiedPoints } from './copied-points.ts'
import type { Engine } from './engine.ts'
import { withAttachment } from './read-attachment.ts'

export interface PlannedCopy {
  readonly disk: SourceDisk
  readonly chain: string
  /** Of what Azure has to move: everything, or what changed since its newest copy in that region. */
  readonly kind: 'full' | 'incremental'
}

export interface CopyRequest {
  readonly diskId: string
  readonly targetUrl: string
  readonly request: RequestKey
  readonly place: CopyPlace
}

/** @throws BackupError SourceDiskNotFound, TargetNotFound, TargetNotSupported, AccessDenied, PointExists. */
export async function planCopy(engine: Engine, asked: CopyRequest, signal?: AbortSignal): Promise<PlannedCopy> {
  const { diskId, targetUrl, request, place } = asked
  const disk = await withAttachment(engine, await getDisk(engine.azure, diskId, signal), signal)
  await checkTarget(engine.azure, targetUrl, signal)
  const chain = chainPrefix(disk.id, disk.uniqueId)
  const runKey = recoveryPointId(disk, targetUrl, request)
  const sealed = await findManifest(engine.azure, targetUrl, chain, runKey, signal)
  if (sealed !== undefined) {
    throw new BackupError({
      type: 'PointExists',
      message: `point ${runKey} was made at ${sealed.sealedAt} and stays as it is; start a new backup for the present content of ${disk.id}`,
      facts: { pointId: runKey },
    })
  }
  const { points } = await listCopiedPoints(engine, { targetUrl, chain }, signal)
  const newest = points.find(({ copiedSnapshot }) => isSameRegion(copiedSnapshot.location, place.region))
  const previous = newest && (await findSnapshot(engine.azure, newest.copiedSnapshot.id, signal))
  return { disk, chain, kind: previous === undefined ? 'full' : 'incremental' }
}
