/**
 * A backup whose mover is Azure itself: an incremental snapshot of the disk is copied to another region by CopyStart.
 *
 *     plan -> snapshot -> transfer (Azure copies; wait for 100 percent) -> verify -> seal -> release
 *
 * The same point list, retention and release as every backup; the content of the point is the copied snapshot. Azure's rules are
 * kept by the order of the steps: snapshots are copied as they are taken, one at a time, and the source stays until its copy is done.
 */
import { CancellationScope, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import { armIdOf, parseArmId } from '../domain/arm-id.ts'
import { copiedSnapshotName, recoveryPointId, sourceSnapshotName, targetKeyOf, type RequestKey } from '../domain/names.ts'
import type { CopyPlace } from '../domain/policy.ts'
import type { CopiedPoint } from '../domain/recovery-point.ts'
import { copiedSnapshotAccessOf, isReadableCopy, type SourceDisk } from '../domain/source-disk.ts'
import { sourceSnapshotTags } from '../domain/tags.ts'
import { control, copying, dataActivities, finishing, waiting } from './activity-options.ts'
import { takeBack, tidyUp } from './end-of-run.ts'
import { BACKUP_PHASES, type BackupDiskInput, type BackupDiskResult } from './messages.ts'
import { refuseWhenCancelled } from './own-cancel.ts'
import { trackProgress } from './run-progress.ts'
import { recoveryPointAttribute } from './search-attributes.ts'

const NOT_READ = 'what Azure copied was not compared: the data of this disk cannot be read by a backup'

export async function copyDisk(input: BackupDiskInput, place: CopyPlace): Promise<BackupDiskResult<CopiedPoint>> {
  const { diskId, targetUrl, options } = input
  const { workflowId, originalExecutionRunId, startTime } = workflowInfo()
  const request: RequestKey = input.request ?? { requestedAt: startTime.toISOString(), requestId: originalExecutionRunId }
  const progress = trackProgress(BACKUP_PHASES)

  progress.enter('plan')
  const planned = await control.planCopy.executeWithOptions({ summary: 'read disk and target' }, [{ diskId, targetUrl, request, place }])
  const { disk, chain, kind } = planned
  const runKey = recoveryPointId(disk, targetUrl, request)
  upsertSearchAttributes([{ key: recoveryPointAttribute, value: runKey }])
  const { sourceId, copyId } = snapshotIds(input, request, place, disk)
  const owner = { targetKey: targetKeyOf(targetUrl), diskUniqueId: disk.uniqueId }
  const release = (isSealed: boolean): Promise<string[]> =>
    finishing.releaseCopy.executeWithOptions({ summary: isSealed ? 'apply retention' : 'take back what was made' }, [
      { targetUrl, chain, runKey, owner, sourceId, copyId, ...(isSealed && { retention: options.retention }) },
    ])

  let point: CopiedPoint
  const isReadable = isReadableCopy(disk)
  try {
    progress.enter('snapshot', { pointId: runKey, kind })
    const snapshot = await waiting.takeSourceSnapshot.executeWithOptions({ summary: `snapshot of ${disk.name}` }, [
      { snapshotId: sourceId, disk, owner: { ...owner, role: 'copy-source' }, runKey, options },
    ])

    progress.enter('transfer')
    const tags = sourceSnapshotTags({ ...owner, role: 'copied-snapshot' }, runKey)
    const access = copiedSnapshotAccessOf(disk)
    const copy = await copying.copySnapshot.executeWithOptions({ summary: `Azure copies to ${place.region}` }, [
      { id: copyId, source: { id: snapshot.id, uniqueId: snapshot.uniqueId }, location: place.region, access, tags },
    ])

    progress.enter('verify')
    const comparison = { sourceId, copyId, sizeBytes: snapshot.sizeBytes, rule: options.verify, runKey }
    const verification = isReadable
      ? await dataActivities().verifyCopiedSnapshot.executeWithOptions({ summary: 'compare copy and source' }, [comparison])
      : ({ result: 'none', rounds: 0, writtenBytes: 0, comparedBytes: 0 } as const)

    refuseWhenCancelled()
    progress.enter('seal')
    const made = { disk, snapshot, copy, kind, verification }
    point = await CancellationScope.nonCancellable(() =>
      finishing.sealCopiedPoint.executeWithOptions({ summary: `seal ${runKey}` }, [
        { targetUrl, chain, runKey, workflowId, startedAt: startTime.toISOString(), ...made },
      ]),
    )
  } catch (error) {
    await takeBack(progress, release, error)
    throw error
  }

  const warnings = await tidyUp(progress, release)
  return { point, warnings: isReadable ? warnings : [...warnings, NOT_READ] }
}

function snapshotIds({ targetUrl, options }: BackupDiskInput, request: RequestKey, place: CopyPlace, disk: SourceDisk) {
  const { subscriptionId, resourceGroup: diskGroup } = parseArmId(disk.id, 'disks')
  const idIn = (resourceGroup: string, name: string): string => armIdOf({ subscriptionId, resourceGroup, type: 'snapshots', name }).id
  return {
    sourceId: idIn(options.snapshotResourceGroup ?? diskGroup, sourceSnapshotName(disk, targetUrl, request)),
    copyId: idIn(place.resourceGroup, copiedSnapshotName(disk, targetUrl, request)),
  }
}
