/** Long work in this process, without Temporal: with a progress view, retries that are told, and Ctrl-C that tidies up. */
import type { BackupError } from '../domain/failures.ts'
import { formatSeconds } from './format.ts'
import { abortWhenInterrupted } from './interrupt.ts'
import type { Output } from './output.ts'
import { createProgressView } from './progress-view.ts'

export interface LocalWork {
  readonly signal: AbortSignal
  readonly onProgress: (progress: { phase: string; movedBytes: number; totalBytes?: number }) => void
  readonly onRetry: (error: BackupError, pauseMs: number) => void
}

/**
 * @param whenInterrupted what is left behind, and how to go on.
 * @throws Interrupted with it on Ctrl-C.
 */
export async function workHere<Result>(
  output: Output,
  whenInterrupted: string,
  work: (local: LocalWork) => Promise<Result>,
): Promise<Result> {
  const view = createProgressView(output)
  try {
    return await abortWhenInterrupted(whenInterrupted, (signal) =>
      work({
        signal,
        onProgress: (progress) => view.show(progress, Date.now()),
        onRetry: (error, pauseMs) => output.warn(`${error.message}; once more in ${formatSeconds(pauseMs / 1000)}`),
      }),
    )
  } finally {
    view.close()
  }
}
