/** How a backup ends, whoever moved its bytes: what it made is taken back, or its point is made and the rest is tidied up. */
import { CancellationScope, isCancellation, log } from '@temporalio/workflow'
import { describeCause } from './describe-cause.ts'
import type { RunProgress } from './run-progress.ts'

/** Ends the run's access and deletes what is spare; answers what could not be done. */
export type Release = (isSealed: boolean) => Promise<string[]>

/** After a failure or a cancel. What cannot be taken back is logged; what went wrong first is for the caller to throw. */
export async function takeBack(progress: RunProgress, release: Release, error: unknown): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    progress.enter('failed')
    const warnings = await release(false).catch((cause: unknown) => [describeCause(cause)])
    log.warn('no point was made; the older ones are as they were', { cancelled: isCancellation(error), notTakenBack: warnings })
  })
}

/** The point is made: neither a cancel nor trouble with tidying up takes it back. @returns warnings */
export function tidyUp(progress: RunProgress, release: Release): Promise<string[]> {
  return CancellationScope.nonCancellable(async () => {
    progress.enter('release')
    const warnings = await release(true).catch((cause: unknown) => [`not everything was tidied up: ${describeCause(cause)}; the next run tries again`])
    progress.enter('done')
    return warnings
  })
}
