/**
 * A run that somebody cancels. Steps are waited for (`activity-options.ts`), so one may come to its end, or fail of something else, after
 * the cancel: neither is what becomes of the run.
 */
import { CancellationScope, CancelledFailure, isCancellation } from '@temporalio/workflow'

/**
 * Whether an error is the end of what was cancelled here. One child that somebody cancelled by itself ends with the same error; it has
 * failed, and is no reason to give up the others.
 */
export function isOwnCancel(error: unknown, scope = CancellationScope.current()): boolean {
  return isCancellation(error) && scope.consideredCancelled
}

/** To be called before what cannot be taken back. @throws CancelledFailure */
export function refuseWhenCancelled(): void {
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('the run was cancelled')
}

/** Does the work of a whole run. Once it is cancelled, whatever it then fails of is the cause of its end and not its reason. */
export async function endingAsCancelled<Output>(work: () => Promise<Output>): Promise<Output> {
  try {
    return await work()
  } catch (error) {
    const isToBeCancelled = CancellationScope.current().consideredCancelled && !isCancellation(error)
    throw isToBeCancelled ? new CancelledFailure('the run was cancelled', [], error instanceof Error ? error : undefined) : error
  }
}
