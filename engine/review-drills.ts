/** Reads what drills have left in the target, and says whether there was silence for too long. Changes nothing. */
import { listDrillResults } from '../azure/drill-results.ts'
import { sameArmId } from '../domain/arm-id.ts'
import type { DrillRule } from '../domain/drill.ts'
import { drilledDiskOf, silenceOf, type DrilledDisk, type Silence } from '../domain/drill-review.ts'
import type { Engine } from './engine.ts'

export interface DrillReviewRequest {
  readonly policy: string
  readonly targetUrl: string
  readonly diskIds: readonly string[]
  readonly rule: Pick<DrillRule, 'disks' | 'alertAfterMs'>
  /** What silence is counted from as long as no drill has succeeded. */
  readonly since: string
  readonly now: string
}

export interface DrillReview {
  readonly disks: readonly DrilledDisk[]
  readonly silence: Silence
}

/** @throws BackupError TargetNotFound | AccessDenied */
export async function reviewDrills(engine: Engine, request: DrillReviewRequest, signal?: AbortSignal): Promise<DrillReview> {
  const { targetUrl, diskIds, rule } = request
  const results = await listDrillResults(engine.azure, targetUrl, diskIds.length === 1 ? diskIds[0] : undefined, signal)
  const disks = diskIds.map((diskId) => drilledDiskOf(diskId, results.filter((result) => sameArmId(result.diskId, diskId))))
  return { disks, silence: silenceOf(disks, rule, request) }
}
