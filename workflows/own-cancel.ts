import { CancellationScope, isCancellation } from '@temporalio/workflow'

/**
 * Whether an error is the end of what was cancelled here. One child that somebody cancelled by itself ends with the same error; it has
 * failed, and is no reason to give up the others.
 */
export function isOwnCancel(error: unknown, scope = CancellationScope.current()): boolean {
  return isCancellation(error) && scope.consideredCancelled
}
