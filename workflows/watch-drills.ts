/**
 * Asks now and then whether drills of a policy still succeed. Silence is what nobody notices: so it fails with `DrillOverdue` when no
 * drill has for longer than the policy's `alertAfter`, whatever the reason; also when none ever ran, or their Schedule is paused.
 */
import { ApplicationFailure, workflowInfo } from '@temporalio/workflow'
import { parseArmId } from '../domain/arm-id.ts'
import type { Silence } from '../domain/drill-review.ts'
import type { FailureType } from '../domain/failures.ts'
import { control } from './activity-options.ts'
import type { WatchDrillsInput } from './messages.ts'
import { raiseAlert } from './raise-alert.ts'

export async function watchDrills(input: WatchDrillsInput): Promise<Silence> {
  const { policy, targetUrl } = input
  const now = workflowInfo().startTime.toISOString()
  const silence = await control.reviewDrills.executeWithOptions({ summary: 'read the results of drills' }, [{ ...input, now }])
  if (!silence.isOverdue) return silence
  const { diskId, dueAt, lastSuccessAt } = silence
  const what = diskId === undefined ? `policy ${policy}` : `policy ${policy}, disk ${parseArmId(diskId, 'disks').name}`
  const since = lastSuccessAt === undefined ? `no drill has ever succeeded (watched since ${input.since})` : `the last drill that succeeded ended at ${lastSuccessAt}`
  const message = `${what} is overdue since ${dueAt}: ${since}; see "snapferry drill list --target ${targetUrl}" and the Schedule drill/${policy}`
  await raiseAlert({ type: 'DrillOverdue', message, targetUrl, policy, ...(diskId !== undefined && { diskId }) })
  throw ApplicationFailure.create({ type: 'DrillOverdue' satisfies FailureType, nonRetryable: true, message, details: [silence] })
}
