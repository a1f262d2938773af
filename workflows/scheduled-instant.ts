/** When a run was due. */
import { workflowInfo } from '@temporalio/workflow'
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'

const scheduledStartTime = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME)

/** The scheduled instant, not the present one: a retry of the same tick names everything alike. */
export function scheduledInstant(): string {
  const { startTime, typedSearchAttributes } = workflowInfo()
  return (typedSearchAttributes.get(scheduledStartTime) ?? startTime).toISOString()
}
