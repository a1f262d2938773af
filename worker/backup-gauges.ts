/** The metric of backups, beside those of Temporal's SDK on the same address: an instant, so that what several workers show goes together by `max`. */
import type { MetricMeter } from '@temporalio/common'
import type { SealedHook } from '../activities/sealed-hook.ts'
import { diskKeyOf, targetKeyOf } from '../domain/names.ts'

export function createBackupGauge(meter: MetricMeter): SealedHook {
  const gauge = meter.createGauge('snapferry_backup_last_point_timestamp_seconds', 'float', 's', 'What instant the newest recovery point holds that this worker made')
  return (targetUrl, { diskId, takenAt }) => gauge.set(Date.parse(takenAt) / 1000, { disk: diskKeyOf(diskId), target: targetKeyOf(targetUrl) })
}
