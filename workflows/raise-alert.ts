/** Tells the alert command of the worker. Temporal and the metrics tell in any case, so what goes wrong here is only logged. */
import { CancellationScope, log } from '@temporalio/workflow'
import type { DrillAlert } from '../activities/drill-activities.ts'
import { alerting } from './activity-options.ts'
import { describeCause } from './describe-cause.ts'

export async function raiseAlert(alert: Omit<DrillAlert, 'format'>): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    await alerting.raiseAlert.executeWithOptions({ summary: `alert: ${alert.type}` }, [{ format: 1, ...alert }]).catch((cause: unknown) => {
      log.warn('the alert command could not be told', { why: describeCause(cause) })
    })
  })
}
