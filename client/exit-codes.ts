/** What the exit codes of `EXIT_CODES` mean to whoever runs a command. */
import { EXIT_CODES, type ExitName } from '../domain/failures.ts'

const EXIT_MEANINGS: Record<ExitName, string> = {
  ok: 'done',
  unexpected: 'an error that snapferry does not know',
  usage: 'wrong arguments or configuration',
  failed: 'the run failed',
  notFound: 'no such disk, target, recovery point, run or policy',
  unreachable: 'Temporal or Azure does not answer',
  denied: 'a right or a credential is missing',
  refused: 'refused, and nothing was changed',
  interrupted: 'interrupted; a run that was started goes on',
}

/** For the end of every help text. */
export function exitCodesHelp(): string {
  const lines = (Object.keys(EXIT_CODES) as ExitName[]).map(
    (name) => `  ${String(EXIT_CODES[name]).padEnd(5)} ${EXIT_MEANINGS[name]}`,
  )
  return `Exit codes:\n${lines.join('\n')}`
}
