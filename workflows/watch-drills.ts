/**
 * Asks now and then whether drills of a policy still succeed. Silence is what nobody notices: so it fails with `DrillOverdue` when no
 * drill has for longer than the policy's `alertAfter`, whatever the reason; also when none ever ran, or their Schedule is paused, or
 * their results cannot be read.
 */
import { ApplicationFailure, workflowInfo } from '@temporalio/workflow'
import { parseArmId } from '../domain/arm-id.ts'
import type { Silence } from '../domain/drill-review.ts'
import type { FailureType } from '../domain/failures.ts'
import { control } from './activity-options.ts'
import { describeCause } from './describe-cause.ts'
import type { WatchDrillsInput } from './messages.ts'
import { isOwnCancel } from './own-cancel.ts'
import { raiseAlert } from './raise-alert.ts'

/** The watch is started every hour: what cannot be read within one is to be told, not waited for. */
const REVIEW = { summary: 'read the results of drills', scheduleToCloseTimeout: '1 hour' } as const

export async function watchDrills(input: WatchDrillsInput): Promise<Silence> {
  const { policy, targetUrl } = input
  const now = workflowInfo().startTime.toISOString()
  let silence: Silence
  try {
    silence = await control.reviewDrills.executeWithOptions(REVIEW, [{ ...input, now }])
  } catch (error) {
    if (isOwnCancel(error)) throw error
    throw await overdue(input, `whether policy ${policy} is overdue is not known: the results of its drills could not be read: ${describeCause(error)}`)
  }
  if (!silence.isOverdue) return silence
  const { diskId, dueAt, lastSuccessAt } = silence
  const what = diskId === undefined ? `policy ${policy}` : `policy ${policy}, disk ${parseArmId(diskId, 'disks').name}`
  const since = lastSuccessAt === undefined ? `no drill has ever succeeded (watched since ${input.since})` : `the last drill that succeeded ended at ${lastSuccessAt}`
  throw await overdue(input, `${what} is overdue since ${dueAt}: ${since}; see "snapferry drill list --target ${targetUrl}" and the Schedule drill/${policy}`, silence)
}

/** Raises the alert. @returns what the watch fails with. */
async function overdue({ policy, targetUrl }: WatchDrillsInput, message: string, silence?: Silence): Promise<ApplicationFailure> {
  const diskId = silence?.diskId
  await raiseAlert({ type: 'DrillOverdue', message, targetUrl, policy, ...(diskId !== undefined && { diskId }) })
  const details = silence === undefined ? [] : [silence]
  return ApplicationFailure.create({ type: 'DrillOverdue' satisfies FailureType, nonRetryable: true, message, details })
}
