/**
 * Waits for a run and shows how far it is. The run does not depend on being watched: Ctrl-C, a lost connection or
 * the end of this process leave it going.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { WorkflowFailedError } from '@temporalio/client'
import type { TemporalLink } from '../temporal/connect.ts'
import { Interrupted, untilInterrupted } from './interrupt.ts'
import type { Output } from './output.ts'
import { createProgressView, type ProgressView } from './progress-view.ts'
import { toRunFailure } from './run-failure.ts'
import { readRunState } from './run-state.ts'
import type { RunReference } from './start-run.ts'

const POLL_INTERVAL_MS = 1_000

/**
 * @param what the run, for messages: `backup of disk …`.
 * @returns what the workflow returned.
 * @throws BackupError of the type that the run failed with; Interrupted on Ctrl-C.
 */
export async function followRun<Result>(
  link: TemporalLink,
  output: Output,
  run: RunReference,
  what: string,
): Promise<Result> {
  const view = createProgressView(output)
  const stop = new AbortController()
  void draw(link, run, view, stop.signal)
  const goesOn = `the run goes on; follow it with: snapferry run follow ${run.workflowId}`
  try {
    const handle = link.client.workflow.getHandle(run.workflowId, run.runId)
    // Without its signal the question to the server would keep this process for as long as the server lets it wait.
    return await untilInterrupted(goesOn, (signal) =>
      link.connection.withAbortSignal(signal, () => handle.result() as Promise<Result>),
    )
  } catch (error) {
    if (error instanceof WorkflowFailedError) throw toRunFailure(error, what)
    if (!(error instanceof Interrupted)) output.note(goesOn)
    throw error
  } finally {
    stop.abort()
    view.close()
  }
}

/** Never rejects: a state that cannot be read is skipped, as the wait itself decides what an error is. */
async function draw(link: TemporalLink, run: RunReference, view: ProgressView, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const state = await readRunState(link, run.workflowId, run.runId).catch(() => undefined)
    if (!signal.aborted && state?.status === 'RUNNING') view.show(state, Date.now())
    await sleep(POLL_INTERVAL_MS, undefined, { signal }).catch(() => undefined)
  }
}
