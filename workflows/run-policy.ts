/**
 * What a Temporal Schedule starts: one `backupDisk` child per disk of the policy, a bounded number at a time.
 *
 * A disk that fails, or whose run is open already, does not hold up the others; the policy's run fails at its end if any disk
 * failed, so that the schedule's list shows it.
 */
import {
  ApplicationFailure,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow'
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import { parseArmId } from '../domain/arm-id.ts'
import { backupWorkflowId, targetKeyOf, diskKeyOf } from '../domain/names.ts'
import type { FailureType } from '../domain/failures.ts'
import type { Policy } from '../domain/policy.ts'
import { backupDisk } from './backup-disk.ts'
import { describeCause } from './describe-cause.ts'
import { mapConcurrent } from './map-concurrent.ts'
import type { DiskOutcome, RunPolicyInput, RunPolicyResult } from './messages.ts'
import { diskAttribute, policyAttribute, targetAttribute } from './search-attributes.ts'

const scheduledStartTime = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME)

export async function runPolicy({ policy }: RunPolicyInput): Promise<RunPolicyResult> {
  const { startTime, typedSearchAttributes } = workflowInfo()
  // The scheduled instant, not the present one: a retry of the same tick names everything alike.
  const requestedAt = (typedSearchAttributes.get(scheduledStartTime) ?? startTime).toISOString()
  const disks = await mapConcurrent(policy.diskIds, policy.maxConcurrentDisks, (diskId) => backUp(policy, diskId, requestedAt))
  const failed = disks.filter(({ outcome }) => outcome === 'failed')
  if (failed.length === 0) return { disks }
  throw ApplicationFailure.create({
    type: 'RunFailed' satisfies FailureType,
    nonRetryable: true,
    message: `${failed.length} of ${disks.length} disks of policy ${policy.name} have no new point: ${failed.map(({ diskId, reason }) => `${parseArmId(diskId, 'disks').name}: ${reason}`).join('; ')}`.slice(0, 2000),
    details: [{ disks }],
  })
}

async function backUp(policy: Policy, diskId: string, requestedAt: string): Promise<DiskOutcome> {
  const { targetUrl, options, name } = policy
  try {
    const { point } = await executeChild(backupDisk, {
      workflowId: backupWorkflowId(diskId, targetUrl),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: `backup of ${parseArmId(diskId, 'disks').name} to ${targetKeyOf(targetUrl)}, policy ${name}`,
      typedSearchAttributes: new TypedSearchAttributes([
        { key: diskAttribute, value: diskKeyOf(diskId) },
        { key: targetAttribute, value: targetKeyOf(targetUrl) },
        { key: policyAttribute, value: name },
      ]),
      args: [{ diskId, targetUrl, options, policy: name, request: { requestedAt, requestId: `policy ${name}` } }],
    })
    return { diskId, outcome: 'succeeded', pointId: point.id }
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { diskId, outcome: 'skipped', reason: 'another run of this disk and target is open' }
    if (isCancellation(error)) throw error
    return { diskId, outcome: 'failed', reason: describeCause(error) }
  }
}
