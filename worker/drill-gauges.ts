/**
 * The metrics of drills, beside those of Temporal's SDK on the same address.
 *
 * Gauges are instants and not states, so that what several workers show, also old, goes together by `max`: an alert does not depend on
 * anything still running. They come back after a restart by the next look of `watchDrills`.
 */
import type { MetricMeter } from '@temporalio/common'
import type { DrillGauges } from '../activities/drill-host.ts'
import type { DrillResult } from '../domain/drill-result.ts'
import { diskKeyOf, targetKeyOf } from '../domain/names.ts'

export function createDrillGauges(meter: MetricMeter): DrillGauges {
  const instant = (name: string, description: string) => meter.createGauge(`snapferry_drill_${name}_timestamp_seconds`, 'float', 's', description)
  const lastSuccess = instant('last_success', 'When the last drill of the disk that passed ended')
  const lastFailure = instant('last_failure', 'When the last drill of the disk that failed ended')
  const due = instant('due', 'From when on the policy is overdue, as far as is known')
  const rto = meter.createGauge('snapferry_drill_rto_seconds', 'float', 's', 'From the start of the last drill that passed until its disk could be used')
  const duration = meter.createGauge('snapferry_drill_duration_seconds', 'float', 's', 'How long the last drill of the disk took in all')
  const failures = meter.createCounter('snapferry_drill_failures', '', 'Drills that failed on this worker')

  const show = (result: DrillResult, labels: Record<string, string>): void => {
    const endedSeconds = Date.parse(result.endedAt) / 1000
    ;(result.verdict === 'passed' ? lastSuccess : lastFailure).set(endedSeconds, labels)
    if (result.verdict === 'passed' && result.rtoSeconds !== undefined) rto.set(result.rtoSeconds, labels)
  }
  const showDuration = ({ startedAt, endedAt }: DrillResult, labels: Record<string, string>): void =>
    duration.set((Date.parse(endedAt) - Date.parse(startedAt)) / 1000, labels)
  const labelsOf = (policy: string | undefined, diskId: string, targetUrl: string): Record<string, string> => ({
    policy: policy ?? '',
    disk: diskKeyOf(diskId),
    target: targetKeyOf(targetUrl),
  })

  return {
    reviewed({ policy, targetUrl }, { disks, silence }) {
      due.set(Date.parse(silence.dueAt) / 1000, { policy, target: targetKeyOf(targetUrl) })
      for (const { diskId, last, lastSuccess: success } of disks) {
        const labels = labelsOf(policy, diskId, targetUrl)
        if (success !== undefined) show(success, labels)
        if (last === undefined) continue
        show(last, labels)
        showDuration(last, labels)
      }
    },
    ended(targetUrl, result) {
      const labels = labelsOf(result.policy, result.diskId, targetUrl)
      show(result, labels)
      showDuration(result, labels)
      if (result.verdict === 'failed') failures.add(1, labels)
    },
  }
}
