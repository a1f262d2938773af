/** Shows what a restore will do and, where somebody can answer, asks before it begins. */
import type { Prices } from '../domain/restore-cost.ts'
import type { Engine } from '../engine/engine.ts'
import type { RestoreDiskInput } from '../workflows/messages.ts'
import { canAsk, confirm, type Asking } from './confirm.ts'
import type { Output } from './output.ts'
import { toIdOf } from './restore-options.ts'
import { renderPlan } from './restore-plan.ts'

/**
 * @param mayAsk false: `--yes` was given.
 * @throws BackupError where there is no such point; Interrupted where the answer is no.
 */
export async function agreeToRestore(
  engine: Engine,
  input: RestoreDiskInput,
  { output, host, mayAsk, prices }: { readonly output: Output; readonly host: Asking; readonly mayAsk: boolean; readonly prices: Prices },
): Promise<void> {
  const { surveyRestore, obstaclesOf } = await import('../engine/survey-restore.ts')
  const survey = await surveyRestore(engine, { ...input, requestId: 'plan' }, prices)
  output.note(renderPlan(survey, obstaclesOf(survey), Date.now()))
  if (mayAsk && canAsk(host)) await confirm(host, `restore to ${toIdOf(input)}?`)
}
