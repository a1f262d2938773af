/**
 * What a Temporal Schedule starts: one `backupDisk` child per disk of the policy, a bounded number at a time.
 *
 * A disk that fails, or is cancelled by itself, or whose run is open already, does not hold up the others; the policy's run fails at its end if any disk
 * failed, so that the schedule's list shows it. Runs of one policy may be open side by side: the next backs up all disks but those that the one before
 * still works on. Only one at a time begins disks (`policy-turn.ts`), so that runs which come faster than they end do not pile up.
 */
import { ApplicationFailure, CancellationScope, executeChild, ParentClosePolicy, startChild } from '@temporalio/workflow'
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import { parseArmId } from '../domain/arm-id.ts'
import { mapConcurrent } from '../domain/map-concurrent.ts'
import { backupWorkflowId, targetKeyOf, diskKeyOf, policyTurnWorkflowId, verifyWorkflowId } from '../domain/names.ts'
import type { FailureType } from '../domain/failures.ts'
import type { Policy, VerificationRule } from '../domain/policy.ts'
import { backupDisk } from './backup-disk.ts'
import { briefCause } from './describe-cause.ts'
import type { DiskOutcome, RunPolicyInput, RunPolicyResult } from './messages.ts'
import { isOwnCancel } from './own-cancel.ts'
import { policyTurn } from './policy-turn.ts'
import { scheduledInstant } from './scheduled-instant.ts'
import { diskAttribute, policyAttribute, targetAttribute } from './search-attributes.ts'
import { verifyPoint } from './verify-point.ts'

const MS_PER_DAY = 86_400_000
const OTHERS_TURN = 'another run of the policy has disks yet to begin'

export async function runPolicy({ policy }: RunPolicyInput): Promise<RunPolicyResult> {
  const requestedAt = scheduledInstant()
  const turn = new CancellationScope()
  if (!(await turn.run(() => takeTurn(policy)))) return { disks: policy.diskIds.map((diskId) => ({ diskId, outcome: 'skipped', reason: OTHERS_TURN })) }
  let left = policy.diskIds.length
  const disks = await mapConcurrent(policy.diskIds, policy.maxConcurrentDisks, (diskId) => {
    if (--left === 0) turn.cancel()
    return backUp(policy, diskId, requestedAt)
  })
  if (policy.verification !== undefined) await startVerifications(policy, policy.verification, requestedAt)
  const failed = disks.filter(({ outcome }) => outcome === 'failed')
  if (failed.length === 0) return { disks }
  throw ApplicationFailure.create({
    type: 'RunFailed' satisfies FailureType,
    nonRetryable: true,
    message: `${failed.length} of ${disks.length} disks of policy ${policy.name} have no new point: ${failed.map(({ diskId, reason }) => `${parseArmId(diskId, 'disks').name}: ${reason}`).join('; ')}`.slice(0, 2000),
    details: [{ disks }],
  })
}

/** @returns false where another run has it. Where all disks begin at once there is nothing to be taken in turns: each disk's own run is lock enough. */
async function takeTurn({ name, diskIds, maxConcurrentDisks }: Policy): Promise<boolean> {
  if (diskIds.length <= maxConcurrentDisks) return true
  try {
    await startChild(policyTurn, {
      workflowId: policyTurnWorkflowId(name),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: `a run of policy ${name} has disks to begin`,
    })
    return true
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false
    throw error
  }
}

/**
 * What is due today of each disk's newest point, beside this run and beyond its end: reading may take hours, and must not keep the next
 * backup from its time. A verification that is open already goes on, and the next one makes up for the days that it took.
 */
async function startVerifications(policy: Policy, { level, everyDays, percent }: VerificationRule, requestedAt: string): Promise<void> {
  const { targetUrl, name } = policy
  const day = Math.floor(Date.parse(requestedAt) / MS_PER_DAY)
  for (const diskId of policy.options.copyStart === undefined ? policy.diskIds : []) {
    try {
      await startChild(verifyPoint, {
        workflowId: verifyWorkflowId(targetUrl, { diskId }),
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `verification of ${parseArmId(diskId, 'disks').name}, ${level}, policy ${name}`,
        typedSearchAttributes: attributesOf(policy, diskId),
        args: [{ targetUrl, diskId, level, cycle: { everyDays, day }, ...(percent !== undefined && { percent }) }],
      })
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    }
  }
}

function attributesOf({ targetUrl, name }: Policy, diskId: string): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: diskAttribute, value: diskKeyOf(diskId) },
    { key: targetAttribute, value: targetKeyOf(targetUrl) },
    { key: policyAttribute, value: name },
  ])
}

async function backUp(policy: Policy, diskId: string, requestedAt: string): Promise<DiskOutcome> {
  const { targetUrl, options, name } = policy
  try {
    const { point } = await executeChild(backupDisk, {
      workflowId: backupWorkflowId(diskId, targetUrl),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: `backup of ${parseArmId(diskId, 'disks').name} to ${targetKeyOf(targetUrl)}, policy ${name}`,
      typedSearchAttributes: attributesOf(policy, diskId),
      args: [{ diskId, targetUrl, options, policy: name, request: { requestedAt, requestId: `policy ${name}` } }],
    })
    return { diskId, outcome: 'succeeded', pointId: point.id }
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { diskId, outcome: 'skipped', reason: 'another run of this disk and target is open' }
    if (isOwnCancel(error)) throw error
    return { diskId, outcome: 'failed', reason: briefCause(error) }
  }
}
