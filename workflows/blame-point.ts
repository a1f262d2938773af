/**
 * Who is to blame for a disk that differs from its point. The point itself is compared with its digests there; where it is damaged, it is
 * marked as suspect with all that share the damage, so that it is never chosen silently again.
 */
import { ApplicationFailure } from '@temporalio/workflow'
import type { Doubt } from '../activities/verify-activities.ts'
import type { FailureType } from '../domain/failures.ts'
import { MAY_BE_DAMAGED } from '../domain/restore-request.ts'
import type { DataSteps } from './activity-options.ts'
import { failureOf, type Mismatches } from './describe-cause.ts'
import { describeSuspects } from './describe-suspects.ts'

/**
 * The failure of a comparison, with the verdict in the place of what is to be done to reach one, and the suspects in its details.
 *
 * @returns undefined where nothing can be said: the point has no digests, or is gone.
 */
export async function blamePoint(data: DataSteps, error: unknown, doubt: Doubt): Promise<ApplicationFailure | undefined> {
  const { point, suspects } = await data.confirmDamage.executeWithOptions({ summary: 'is the point itself damaged?' }, [doubt])
  if (point === 'unknown') return undefined
  const verdict =
    point === 'damaged'
      ? `The point itself is damaged; ${describeSuspects(suspects)}`
      : 'The point itself is as its digests say there: it was damaged on the way to the disk'
  const message = `${failureOf(error).message.replace(`. ${MAY_BE_DAMAGED}`, '')}. ${verdict}`
  return ApplicationFailure.nonRetryable(message, 'VerificationFailed' satisfies FailureType, { mismatches: doubt.ranges, suspects } satisfies Mismatches)
}
