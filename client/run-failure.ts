/** From the failure of a workflow to the failure of the catalogue that the command line ends with. */
import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  type WorkflowFailedError,
} from '@temporalio/client'
import { BackupError, isFailureType } from '../domain/failures.ts'

/**
 * The innermost typed failure is the cause that helps: outer ones say only which activity or child it came through.
 *
 * @param what the run, for the message: `backup of disk …`.
 */
export function toRunFailure(error: WorkflowFailedError, what: string): BackupError {
  const typed = chainOf(error)
    .filter((cause) => cause instanceof ApplicationFailure && isFailureType(cause.type))
    .at(-1)
  if (typed instanceof ApplicationFailure && isFailureType(typed.type)) {
    return new BackupError({ type: typed.type, message: `${what} failed: ${typed.message}`, cause: error })
  }
  return new BackupError({ type: 'RunFailed', message: `${what} ${endOf(error)}`, cause: error })
}

function endOf(error: WorkflowFailedError): string {
  const { cause } = error
  if (cause instanceof CancelledFailure) return 'was cancelled; older recovery points are not touched'
  if (cause instanceof TerminatedFailure) return 'was terminated, without cleaning up: what it made may still be there. The next backup of a disk tidies up after one; for the rest see docs/operations.md'
  if (cause instanceof TimeoutFailure) return 'ran out of its time'
  return `failed: ${chainOf(error).at(-1)?.message ?? error.message}`
}

function chainOf(error: Error): Error[] {
  const chain: Error[] = []
  for (let at: unknown = error; at instanceof Error; at = at.cause) chain.push(at)
  return chain
}
