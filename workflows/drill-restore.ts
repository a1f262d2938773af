/**
 * Restores a recovery point to a throw-away disk, as an operator would, and looks at what came out:
 *
 *     plan -> restore (child restoreDisk) -> compare all bytes, run the user's program -> delete -> record
 *
 * The disk is deleted however the drill ends. Where it differed, the point itself is compared with its digests there, and marked as
 * suspect if it is to blame. What was found is kept in the target; a drill that did not succeed, or whose result cannot be kept, raises
 * the alert and fails with `DrillFailed`. One that is cancelled deletes its disk and keeps nothing.
 */
import { ApplicationFailure, CancellationScope, executeChild, ParentClosePolicy, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import { TypedSearchAttributes } from '@temporalio/common'
import { armIdOf, parseArmId } from '../domain/arm-id.ts'
import { describeRanges } from '../domain/byte-range.ts'
import { drillRequestId } from '../domain/drill.ts'
import type { DrillResult } from '../domain/drill-result.ts'
import type { FailureType } from '../domain/failures.ts'
import { diskKeyOf, drillDiskName, drillIdOf, restoreWorkflowId, targetKeyOf } from '../domain/names.ts'
import { restoreTags } from '../domain/tags.ts'
import type { PlannedDrill } from '../activities/drill-activities.ts'
import { control, dataActivities } from './activity-options.ts'
import { blamePoint } from './blame-point.ts'
import { failureOf, mismatchesOf, type Mismatches } from './describe-cause.ts'
import { DRILL_PHASES, type DrillRestoreInput } from './messages.ts'
import { endingAsCancelled, isOwnCancel } from './own-cancel.ts'
import { raiseAlert } from './raise-alert.ts'
import { restoreDisk } from './restore-disk.ts'
import { phaseSeconds, trackProgress, type RunProgress } from './run-progress.ts'
import { diskAttribute, recoveryPointAttribute, targetAttribute } from './search-attributes.ts'

/** What is known of the drill so far. */
type Findings = { -readonly [Key in keyof DrillResult]?: DrillResult[Key] } & { phases: Record<string, number>; warnings: string[] }

/** Of what the alert of a drill that failed waits for: neither waits long for a target that is away. */
const SOON = { scheduleToCloseTimeout: '1 hour' } as const

interface Drill extends DrillRestoreInput {
  readonly id: string
  readonly toDiskId: string
  readonly requestId: string
  readonly startedAt: string
}

export async function drillRestore(input: DrillRestoreInput): Promise<DrillResult> {
  const drill = drillOf(input)
  const progress = trackProgress(DRILL_PHASES)
  const findings: Findings = { phases: {}, warnings: [] }
  const timed = new CancellationScope({ cancellable: true, timeout: input.rule.timeoutMinutes * 60_000 })
  let failed: unknown
  let cancelled: unknown
  try {
    await timed.run(() => endingAsCancelled(() => carryOut(drill, progress, findings)))
  } catch (error) {
    if (isOwnCancel(error)) cancelled = error
    else failed = isOwnCancel(error, timed) ? tookTooLong(input.rule.timeoutMinutes) : error
  }
  return CancellationScope.nonCancellable(async () => {
    progress.enter('delete')
    const leftBehind = await deleteDisk(drill, findings)
    if (cancelled !== undefined) {
      progress.enter('failed')
      throw cancelled
    }
    const failure = failed === undefined ? leftBehind : failureOf(await blamed(failed, drill, findings))
    progress.enter('record')
    const result = await keep(drill, progress, findings, failure)
    if (result.failure === undefined) {
      progress.enter('done')
      return result
    }
    progress.enter('failed')
    const message = messageOf(drill, result)
    await raiseAlert({ type: 'DrillFailed', message, targetUrl: input.targetUrl, diskId: input.diskId, drill: result, ...(input.policy !== undefined && { policy: input.policy }) })
    throw ApplicationFailure.create({ type: 'DrillFailed' satisfies FailureType, nonRetryable: true, message, details: [result] })
  })
}

function drillOf(input: DrillRestoreInput): Drill {
  const { targetUrl, diskId, rule } = input
  const { startTime, firstExecutionRunId } = workflowInfo()
  const request = input.request ?? { requestedAt: startTime.toISOString(), requestId: firstExecutionRunId }
  const id = drillIdOf(diskId, targetUrl, request)
  const toDiskId = armIdOf({ ...parseArmId(diskId, 'disks'), resourceGroup: rule.resourceGroup, name: drillDiskName(diskId, targetUrl) }).id
  const startedAt = startTime.toISOString()
  return { ...input, id, toDiskId, startedAt, requestId: drillRequestId(startedAt, id) }
}

/** Notes in `findings` what it learns, so that it is known also of a drill that fails. */
async function carryOut(drill: Drill, progress: RunProgress, findings: Findings): Promise<void> {
  const { targetUrl, diskId, pointId, rule, toDiskId, id, startedAt, requestId } = drill
  progress.enter('plan')
  const plan = await control.planDrill.executeWithOptions({ summary: 'choose the point', ...SOON }, [
    { targetUrl, diskId, ...(pointId !== undefined && { pointId }), which: rule.point, seed: id, toDiskId, timeoutMinutes: rule.timeoutMinutes, now: startedAt },
  ])
  const { point, job } = plan
  findings.point = point
  findings.warnings.push(...plan.warnings)
  upsertSearchAttributes([{ key: recoveryPointAttribute, value: point.id }])

  progress.enter('restore', { pointId: point.id })
  const restored = await executeChild(restoreDisk, {
    workflowId: restoreWorkflowId(toDiskId),
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `drill: restore of ${parseArmId(diskId, 'disks').name} from ${point.id}`,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: diskAttribute, value: diskKeyOf(toDiskId) },
      { key: targetAttribute, value: targetKeyOf(targetUrl) },
    ]),
    args: [{ targetUrl, pointId: point.id, toDiskId, region: rule.region, requestId, isThrowAway: true }],
  })
  findings.rtoSeconds = (Date.now() - Date.parse(startedAt)) / 1000
  findings.movedBytes = restored.movedBytes
  findings.warnings.push(...restored.warnings)
  for (const [name, seconds] of Object.entries(restored.phaseSeconds ?? {})) findings.phases[`restore.${name}`] = seconds

  progress.enter('compare', { totalBytes: job.blobBytes, movedBytes: restored.movedBytes })
  await inspect(drill, plan, findings)
}

async function inspect({ rule, toDiskId }: Drill, { point, job, digests }: PlannedDrill, findings: Findings): Promise<void> {
  const { command } = rule
  const summary = command === undefined ? 'compare all bytes' : `compare all bytes, run ${command[0]}`
  const work = { job, ...(digests !== undefined && { digests }), ...(command !== undefined && { command }) }
  const found = await endingAccess(job, () => dataActivities('verify').inspectDrill.executeWithOptions({ summary }, [work]))
  findings.comparedWith = found.comparedWith
  findings.comparedBytes = found.comparedBytes
  findings.phases['compare.read'] = found.compareSeconds
  if (digests !== undefined && found.comparedWith === 'point') {
    findings.warnings.push(`the digests of point ${point.id} are gone from the target, so the disk was compared with the bytes of the point itself`)
  }
  if (found.mismatches.length > 0) {
    const other = found.comparedWith === 'digests' ? `the digests of point ${point.id}` : `point ${point.id}`
    throw ApplicationFailure.nonRetryable(
      `disk ${toDiskId} differs from ${other} at ${describeRanges(found.mismatches)}`,
      'VerificationFailed' satisfies FailureType,
      { mismatches: found.mismatches } satisfies Mismatches,
    )
  }
  if (found.command === undefined) return
  findings.command = found.command
  findings.phases['compare.command'] = found.command.seconds
  const { exitCode, words, output } = found.command
  if (exitCode === 0) return
  throw ApplicationFailure.nonRetryable(`command ${words.join(' ')} ended with ${exitCode ?? 'a signal'} on the image: ${output}`, 'DrillFailed' satisfies FailureType)
}

/** To the point itself, where it is a snapshot. */
async function endingAccess<Output>({ copy }: PlannedDrill['job'], work: () => Promise<Output>): Promise<Output> {
  try {
    return await work()
  } finally {
    if (copy !== undefined) {
      await CancellationScope.nonCancellable(() => control.endSnapshotAccess.executeWithOptions({ summary: 'end the access to the point' }, [copy]))
    }
  }
}

/** The error, with whether the point itself is damaged where the disk differs: then it is marked, with all that share the damage. */
async function blamed(error: unknown, { targetUrl, diskId, startedAt }: Drill, findings: Findings): Promise<unknown> {
  const found = mismatchesOf(error)
  if (found === undefined || findings.point === undefined) return error
  try {
    // The restore may have asked already.
    const doubt = { targetUrl, diskId, pointId: findings.point.id, ranges: found.mismatches, at: startedAt }
    const judged = found.suspects === undefined ? await blamePoint(dataActivities('verify'), error, doubt) : error
    const suspects = mismatchesOf(judged)?.suspects ?? []
    if (suspects.length > 0) findings.suspects = [...suspects]
    return judged ?? error
  } catch (cause) {
    findings.warnings.push(`whether the point itself is damaged could not be found out: ${failureOf(cause).message}`)
    return error
  }
}

/** @returns what could not be deleted. */
async function deleteDisk({ toDiskId: id, requestId }: Drill, { point }: Findings): Promise<{ type: string; message: string } | undefined> {
  if (point === undefined) return undefined
  try {
    await control.deleteRestoredDisk.executeWithOptions({ summary: 'delete the throw-away disk' }, [{ id, tags: restoreTags(point.id, requestId) }])
    return undefined
  } catch (error) {
    const { type, message } = failureOf(error)
    return { type, message: `throw-away disk ${id} could not be deleted: ${message}` }
  }
}

/** A result that cannot be kept is one of the drill's findings, and of one that passed makes a failed one: nobody would know of it. */
async function keep(drill: Drill, progress: RunProgress, findings: Findings, failure: DrillResult['failure']): Promise<DrillResult> {
  const { targetUrl } = drill
  const result = resultOf(drill, progress, findings, failure)
  try {
    await control.recordDrill.executeWithOptions({ summary: `the drill ${result.verdict}`, ...SOON }, [{ targetUrl, result }])
    return result
  } catch (error) {
    const { type, message } = failureOf(error)
    const notKept = { type, message: `the result could not be kept in ${targetUrl}: ${message}` }
    findings.warnings.push(notKept.message)
    return resultOf(drill, progress, findings, failure ?? notKept)
  }
}

function resultOf(drill: Drill, progress: RunProgress, { phases, ...findings }: Findings, failure: DrillResult['failure']): DrillResult {
  const { id, diskId, policy, rule, startedAt } = drill
  return {
    format: 1,
    id,
    diskId,
    ...(policy !== undefined && { policy }),
    region: rule.region,
    verdict: failure === undefined ? 'passed' : 'failed',
    ...(failure !== undefined && { failure }),
    startedAt,
    endedAt: new Date().toISOString(),
    ...findings,
    phaseSeconds: { ...phaseSeconds(progress.now), ...phases },
  }
}

function tookTooLong(timeoutMinutes: number): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`it took longer than its timeout of ${timeoutMinutes} minutes`, 'DrillFailed' satisfies FailureType)
}

function messageOf({ diskId, toDiskId }: Drill, { point, failure }: DrillResult): string {
  const what = `drill of disk ${parseArmId(diskId, 'disks').name}${point === undefined ? '' : `, point ${point.id},`} failed: ${failure?.message}`
  return `${what.slice(0, 3000)} (throw-away disk ${parseArmId(toDiskId, 'disks').name})`
}
