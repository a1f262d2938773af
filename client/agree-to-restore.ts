/** Shows what a restore will do and, where somebody can answer, asks before it begins. */
import { isFailure } from '../domain/failures.ts'
import type { Prices } from '../domain/restore-cost.ts'
import type { Engine } from '../engine/engine.ts'
import type { RestoreDiskInput } from '../workflows/messages.ts'
import { canAsk, confirm, type Asking } from './confirm.ts'
import type { Output } from './output.ts'
import { toIdOf } from './restore-options.ts'
import { renderPlan } from './restore-plan.ts'

interface Agreement {
  readonly output: Output
  readonly host: Asking
  /** false: `--yes` was given. */
  readonly mayAsk: boolean
  readonly prices: Prices
  /** Others restore, as themselves: whoever asks for it need not be able to read the target. */
  readonly isPreview?: boolean
}

/** @throws BackupError where there is no such point; Interrupted where the answer is no. */
export async function agreeToRestore(
  engine: Engine,
  input: RestoreDiskInput,
  { output, host, mayAsk, prices, isPreview = false }: Agreement,
): Promise<void> {
  try {
    output.note(await describePlan(engine, input, prices))
  } catch (error) {
    if (!isPreview || !isFailure(error, 'NotSignedIn', 'AccessDenied', 'AzureUnavailable')) throw error
    output.note(`no preview: ${error.message}\nThe workers restore as themselves.`)
  }
  if (mayAsk && canAsk(host)) await confirm(host, `restore to ${toIdOf(input)}?`)
}

async function describePlan(engine: Engine, input: RestoreDiskInput, prices: Prices): Promise<string> {
  const { surveyRestore, obstaclesOf } = await import('../engine/survey-restore.ts')
  const survey = await surveyRestore(engine, { ...input, requestId: 'plan' }, prices)
  return renderPlan(survey, obstaclesOf(survey), Date.now())
}
