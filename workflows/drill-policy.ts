/**
 * What the drill Schedule of a policy starts: one `drillRestore` child for one disk of the policy, or for each of them.
 *
 * A disk whose drill fails, or is cancelled by itself, does not hold up the others; the run fails at its end if any failed.
 */
import { ApplicationFailure, executeChild, ParentClosePolicy } from '@temporalio/workflow'
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import { parseArmId } from '../domain/arm-id.ts'
import { disksToDrill } from '../domain/drill.ts'
import type { FailureType } from '../domain/failures.ts'
import { mapConcurrent } from '../domain/map-concurrent.ts'
import { diskKeyOf, drillWorkflowId, targetKeyOf } from '../domain/names.ts'
import { briefCause } from './describe-cause.ts'
import { drillRestore } from './drill-restore.ts'
import type { DrillOutcome, DrillPolicyInput, DrillPolicyResult } from './messages.ts'
import { isOwnCancel } from './own-cancel.ts'
import { scheduledInstant } from './scheduled-instant.ts'
import { diskAttribute, policyAttribute, targetAttribute } from './search-attributes.ts'

/** Drills are to disturb nobody. */
const DISKS_IN_FLIGHT = 2

export async function drillPolicy(input: DrillPolicyInput): Promise<DrillPolicyResult> {
  const requestedAt = scheduledInstant()
  const chosen = disksToDrill(input.diskIds, input.rule.disks, requestedAt)
  const disks = await mapConcurrent(chosen, DISKS_IN_FLIGHT, (diskId) => drill(input, diskId, requestedAt))
  const failed = disks.filter(({ outcome }) => outcome === 'failed')
  if (failed.length === 0) return { disks }
  throw ApplicationFailure.create({
    type: 'DrillFailed' satisfies FailureType,
    nonRetryable: true,
    message: `${failed.length} of ${disks.length} drills of policy ${input.policy} failed: ${failed.map(({ diskId, reason }) => `${parseArmId(diskId, 'disks').name}: ${reason}`).join('; ')}`.slice(0, 2000),
    details: [{ disks }],
  })
}

async function drill({ policy, targetUrl, rule }: DrillPolicyInput, diskId: string, requestedAt: string): Promise<DrillOutcome> {
  try {
    const { point, rtoSeconds } = await executeChild(drillRestore, {
      workflowId: drillWorkflowId(diskId, targetUrl),
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: `drill of ${parseArmId(diskId, 'disks').name} in ${rule.region}, policy ${policy}`,
      typedSearchAttributes: new TypedSearchAttributes([
        { key: diskAttribute, value: diskKeyOf(diskId) },
        { key: targetAttribute, value: targetKeyOf(targetUrl) },
        { key: policyAttribute, value: policy },
      ]),
      args: [{ targetUrl, diskId, rule, policy, request: { requestedAt, requestId: `policy ${policy}` } }],
    })
    return { diskId, outcome: 'passed', ...(point && { pointId: point.id }), ...(rtoSeconds !== undefined && { rtoSeconds }) }
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { diskId, outcome: 'skipped', reason: 'another drill of this disk is open' }
    if (isOwnCancel(error)) throw error
    return { diskId, outcome: 'failed', reason: briefCause(error) }
  }
}
