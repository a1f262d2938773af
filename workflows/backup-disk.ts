/**
 * One backup of one disk to one target:
 *
 *     plan -> snapshot -> open -> transfer <-> verify -> seal -> release
 *
 * Its workflow id stands for (disk, target), so at most one is open. Everything it makes is named after the request, so a step
 * that runs twice finds what it made before. An interrupted run leaves the older points as they are; release also runs after
 * failure and cancel. A cancel that comes when the point is sealed comes too late. Where the policy lets Azure copy snapshots
 * instead, the steps are those of `copy-disk.ts`.
 */
import { CancellationScope, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import { armIdOf, parseArmId } from '../domain/arm-id.ts'
import type { BackupPlan } from '../domain/backup-plan.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { recoveryPointId, sourceSnapshotName, targetKeyOf, type RequestKey } from '../domain/names.ts'
import { claimedAsMended } from '../domain/point-check.ts'
import { SNAPSHOT_SKU_WARNING } from '../domain/policy.ts'
import type { AnyPoint, RecoveryPoint } from '../domain/recovery-point.ts'
import type { SourceDisk } from '../domain/source-disk.ts'
import { transferJobOf, type TransferJob } from '../domain/transfer-job.ts'
import { control, dataActivities, finishing, waiting } from './activity-options.ts'
import { copyDisk } from './copy-disk.ts'
import { takeBack, tidyUp } from './end-of-run.ts'
import { BACKUP_PHASES, type BackupDiskInput, type BackupDiskResult, type Progress } from './messages.ts'
import { endingAsCancelled, refuseWhenCancelled } from './own-cancel.ts'
import { trackProgress } from './run-progress.ts'
import { recoveryPointAttribute } from './search-attributes.ts'
import { transferUntilConsistent } from './transfer-until-consistent.ts'

export async function backupDisk(input: BackupDiskInput): Promise<BackupDiskResult<AnyPoint>> {
  const { copyStart } = input.options
  return endingAsCancelled<BackupDiskResult<AnyPoint>>(() => (copyStart === undefined ? ferryDisk(input) : copyDisk(input, copyStart)))
}

async function ferryDisk(input: BackupDiskInput): Promise<BackupDiskResult> {
  const { diskId, targetUrl, options } = input
  const { workflowId, originalExecutionRunId, startTime } = workflowInfo()
  const request: RequestKey = input.request ?? { requestedAt: startTime.toISOString(), requestId: originalExecutionRunId }
  const progress = trackProgress(BACKUP_PHASES)

  progress.enter('plan')
  const planned = await control.planBackup.executeWithOptions({ summary: 'read disk, target and cursor' }, [
    { diskId, targetUrl, ...(options.stripes !== undefined && { stripes: options.stripes }) },
  ])
  const { disk, chain, baseBlobName, striping } = planned
  const runKey = recoveryPointId(disk, targetUrl, request)
  upsertSearchAttributes([{ key: recoveryPointAttribute, value: runKey }])
  const names = sourceNames(input, request, planned)
  let mended = mendedOf(planned.mend ?? [])
  const release = (isSealed: boolean): Promise<string[]> =>
    finishing.releaseBackup.executeWithOptions({ summary: isSealed ? 'revoke SAS, apply retention' : 'revoke SAS, take back what was made' }, [
      { targetUrl, baseBlobName, chain, runKey, ...names.ofRelease, ...(isSealed && { retention: options.retention, ...mended }) },
    ])

  let point: RecoveryPoint
  try {
    progress.enter('snapshot', { pointId: runKey, ...kindOf(planned.plan) })
    const snapshot = await waiting.takeSourceSnapshot.executeWithOptions({ summary: `snapshot of ${disk.name}` }, [
      { snapshotId: names.snapshotId, disk, owner: names.ofRelease.owner, runKey, options },
    ])

    progress.enter('open', kindOf(planned.plan))
    const { opened, plan: openedPlan } = await control.openBaseBlob.executeWithOptions({ summary: `open ${baseBlobName}` }, [
      { targetUrl, baseBlobName, striping, runKey, disk, snapshot, plan: planned.plan, ...(planned.planned && { planned: planned.planned }) },
    ])

    progress.enter('transfer', kindOf(openedPlan))
    const survey = await dataActivities().surveyChanges.executeWithOptions({ summary: 'count what changed' }, [
      { plan: openedPlan, snapshot, opened, ...(options.reseed !== undefined && { reseed: options.reseed }) },
    ])
    const { plan, changedBytes, clearedBytes, gaps, comparison } = survey
    progress.update({ ...kindOf(plan), totalBytes: changedBytes })
    const job = transferJobOf(opened, plan, snapshot, {
      ...(gaps !== undefined && { gaps }),
      ...(comparison !== undefined && { comparison }),
      ...(planned.mend && { mend: planned.mend }),
      ...howOf(input),
    })
    const { movedBytes, requests, movement, verification, repaired, rotten } = await transferUntilConsistent(job, options.verify, progress)
    const digests = await dataActivities().updateDigests.executeWithOptions({ summary: 'bring the digests forward' }, [{ job, repaired }])
    const lastPointId = planned.planned?.lastPoint?.pointId
    if (rotten.length > 0 && lastPointId !== undefined) {
      const doubt = { targetUrl, diskId: disk.id, pointId: lastPointId, ranges: rotten, at: startTime.toISOString() }
      const { ranges } = await dataActivities().confirmDamage.executeWithOptions({ summary: 'look for the damage in older points' }, [doubt])
      mended = mendedOf([...(planned.mend ?? []), ...ranges])
    }

    refuseWhenCancelled()
    progress.enter('seal')
    const counts = { changedBytes, clearedBytes, movedBytes, requests, movement, verification, digestBasis: digests.basis }
    const source = { workflowId, startedAt: startTime.toISOString(), epoch: job.epoch, disk, snapshot, plan }
    // A cancel comes too late from here on: taking back a seal that may still be under way would take the bytes of a point.
    point = await CancellationScope.nonCancellable(() =>
      finishing.sealRecoveryPoint.executeWithOptions({ summary: `seal ${runKey}` }, [{ targetUrl, baseBlobName, striping, chain, runKey, ...source, ...counts, ...mended }]),
    )
  } catch (error) {
    await takeBack(progress, release, error)
    throw error
  }

  const warnings = await tidyUp(progress, release)
  return { point, warnings: options.snapshotSku === undefined ? warnings : [...warnings, SNAPSHOT_SKU_WARNING] }
}

/** All disks of a policy share its cap; a backup that no policy asked for has it to itself. */
function howOf({ diskId, policy = diskId, options: { maxMibPerSecond, transfer } }: BackupDiskInput): Pick<TransferJob, 'cap' | 'mode'> {
  return {
    ...(maxMibPerSecond !== undefined && { cap: { name: policy, maxMibPerSecond } }),
    ...(transfer !== undefined && { mode: transfer }),
  }
}

/** Damage of older points that this run does not take over. */
function mendedOf(ranges: readonly ByteRange[]): { readonly mended?: readonly ByteRange[] } {
  return ranges.length === 0 ? {} : { mended: claimedAsMended(ranges) }
}

function kindOf(plan: BackupPlan): Partial<Progress> {
  return plan.kind === 'reseed' ? { kind: plan.kind, reseedCause: plan.cause } : { kind: plan.kind }
}

/** Where the run's snapshot goes, and what release needs to find it and its kin again. */
function sourceNames({ targetUrl, options }: BackupDiskInput, request: RequestKey, { disk, plan }: { disk: SourceDisk; plan: BackupPlan }) {
  const { subscriptionId, resourceGroup: diskGroup } = parseArmId(disk.id, 'disks')
  const resourceGroup = options.snapshotResourceGroup ?? diskGroup
  const name = sourceSnapshotName(disk, targetUrl, request)
  const snapshotId = armIdOf({ subscriptionId, resourceGroup, type: 'snapshots', name }).id
  const granted = plan.kind === 'incremental' ? [snapshotId, plan.cursor.snapshotId] : [snapshotId]
  return { snapshotId, ofRelease: { granted, owner: { targetKey: targetKeyOf(targetUrl), diskUniqueId: disk.uniqueId } } }
}
