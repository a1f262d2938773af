/**
 * The only place where an error becomes a message and an exit code.
 *
 * People get `error: …` and a hint on stderr; with --json stdout gets `{"error":{"type","message","exitCode"}}` as
 * well. A stack is shown with --debug only.
 */
import { BackupError, EXIT_CODES, FAILURES, redact, type FailureType } from '../domain/failures.ts'
import { Alarm } from './alarm.ts'
import { CommandLineError } from './command-line-error.ts'
import { Interrupted } from './interrupt.ts'
import type { Output } from './output.ts'

interface Report {
  readonly type: FailureType | 'Usage' | 'Unexpected' | 'Interrupted'
  readonly message: string
  readonly exitCode: number
  readonly hint?: string | undefined
}

const HINTS: Partial<Record<FailureType, string>> = {
  TemporalUnreachable: 'a local one is started by: temporal server start-dev',
  NotSignedIn: 'sign in with "az login", or give the process an identity (AZURE_CLIENT_ID, managed identity)',
  RunNotFound: 'see "snapferry status --all" for runs and "snapferry policy list" for policies',
  PointNotFound: 'see "snapferry points list --target URL"',
  InvalidConfig: 'the keys of the file: snapferry config schema',
}

/** Reports and returns the exit code. Help and version are no errors: 0 and silence. */
export function reportError(error: unknown, output: Output, isDebug: boolean): number {
  if (isHelp(error)) return EXIT_CODES.ok
  // Its command has said what it found.
  if (error instanceof Alarm) {
    output.error(error.message)
    return EXIT_CODES.failed
  }
  const report = describe(error)
  if (output.isJson) {
    const { type, message, exitCode } = report
    output.result({ error: { type, message, exitCode } }, '')
  }
  if (report.type === 'Interrupted') output.note(report.message)
  else output.error(report.message)
  if (report.hint !== undefined) output.note(`hint: ${report.hint}`)
  if (isDebug) output.note(stackOf(error))
  return report.exitCode
}

function describe(error: unknown): Report {
  if (error instanceof BackupError) {
    return {
      type: error.type,
      message: error.message,
      exitCode: EXIT_CODES[FAILURES[error.type].exit],
      hint: HINTS[error.type],
    }
  }
  if (error instanceof Interrupted)
    return { type: 'Interrupted', message: error.message, exitCode: EXIT_CODES.interrupted }
  if (error instanceof CommandLineError) {
    const message = error.code === 'commander.help' ? 'a command is missing' : error.message.replace(/^error: /, '')
    return { type: 'Usage', message, exitCode: EXIT_CODES.usage, hint: `see "${error.command} --help"` }
  }
  const message = redact(error instanceof Error ? error.message : String(error))
  return {
    type: 'Unexpected',
    message,
    exitCode: EXIT_CODES.unexpected,
    hint: 'run it again with --debug to see where it comes from',
  }
}

/** Help that nobody asked for, as a command is missing, has an exit code of its own. */
function isHelp(error: unknown): boolean {
  return (
    error instanceof CommandLineError &&
    (error.code === 'commander.helpDisplayed' || error.code === 'commander.version' || (error.code === 'commander.help' && error.exitCode === 0))
  )
}

function stackOf(error: unknown): string {
  const stacks: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) stacks.push(at.stack ?? at.message)
  return redact(stacks.join('\ncaused by: '))
}
