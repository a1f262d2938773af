/** The end of every command that starts a run: says what was started, or waits and prints the result. */
import { followRun } from './follow-run.ts'
import type { TemporalLink } from '../temporal/connect.ts'
import type { Output } from './output.ts'
import type { RunReference, StartedRun } from './start-run.ts'

export interface RunReport<Result> {
  /** The run, for messages: `backup of disk …`. */
  readonly what: string
  readonly mustWait: boolean
  /** The result in one or a few lines. */
  readonly describe: (result: Result) => string
}

/** @throws BackupError of the type that the run failed with; Interrupted on Ctrl-C. */
export async function reportRun<Result extends object>(
  link: TemporalLink,
  output: Output,
  run: StartedRun,
  { what, mustWait, describe }: RunReport<Result>,
): Promise<void> {
  const { workflowId, runId, isJoined } = run
  if (isJoined) output.note(`joined run ${workflowId}`)
  if (!mustWait) {
    output.result({ workflowId, runId }, `started ${workflowId}\nfollow it with: snapferry run follow ${workflowId}`)
    return
  }
  await reportEnd(link, output, run, { what, describe })
}

/**
 * Waits for a run and prints its result.
 *
 * @throws as `reportRun`.
 */
export async function reportEnd<Result extends object>(
  link: TemporalLink,
  output: Output,
  run: RunReference,
  { what, describe, complete = (found) => found }: Omit<RunReport<Result>, 'mustWait'> & {
    /** Adds what only this side knows, or does what follows from the result. */
    readonly complete?: (result: Result) => Promise<Result> | Result
  },
): Promise<void> {
  const result = await complete(await followRun<Result>(link, output, run, what))
  for (const warning of warningsOf(result)) output.warn(String(warning))
  output.result(result, describe(result))
}

/** Runs of disks have them, runs of policies do not. */
function warningsOf(result: object): readonly unknown[] {
  return 'warnings' in result && Array.isArray(result.warnings) ? result.warnings : []
}
