/** Incrementals of many small changes at the speed of one page blob on Azure, against the best of all plans. */
import { BLOB_BYTES_PER_SECOND, BLOB_REQUESTS_PER_SECOND } from '../domain/blob-budget.ts'
import { GIB, KIB, MIB } from '../domain/byte-range.ts'
import { optimalPlan, type OptimalPlan } from './optimal-plan.ts'
import { median, type Row } from './row.ts'
import { scatteredRanges, type Scatter } from './scattered-ranges.ts'
import type { MeasuredBackup, Setting } from './setting.ts'

const RANGE_BYTES = 4 * KIB
const CLUSTERS = { bytes: MIB, ranges: 100 }
const BUDGETS = { bytesPerSecond: BLOB_BYTES_PER_SECOND, requestsPerSecond: BLOB_REQUESTS_PER_SECOND }

export interface ScatteredOptions {
  readonly ranges: number
  /** The disk is full up to here, and changes lie all over it. */
  readonly overBytes: number
  readonly rounds: number
}

export async function measureScatteredChanges(
  setting: Setting,
  layout: 'random' | 'clustered',
  { ranges, overBytes, rounds }: ScatteredOptions,
): Promise<Row[]> {
  const { azure } = setting
  const diskId = await setting.createDisk(`scattered-${layout}`, Math.ceil(overBytes / GIB))
  await azure.order('shape', { shaping: 'none' })
  await setting.fill(diskId, 0, overBytes)
  await setting.backUp(diskId)
  await azure.order('shape', { shaping: 'azure' })
  const runs: { backup: MeasuredBackup; plan: OptimalPlan }[] = []
  for (let seed = 1; seed <= rounds; seed++) {
    const scatter: Scatter = { ranges, rangeBytes: RANGE_BYTES, overBytes, seed, ...(layout === 'clustered' && { clusters: CLUSTERS }) }
    await azure.order('scatter', { diskId, scatter })
    await azure.order('pageWrites')
    runs.push({ backup: await setting.backUp(diskId), plan: optimalPlan(scatteredRanges(scatter), BUDGETS) })
  }
  const { slices } = await azure.order('pageWrites')
  const seconds = median(runs.map(({ backup }) => backup.history.transferSeconds))
  const runSeconds = median(runs.map(({ backup }) => backup.history.seconds))
  const requests = median(runs.map(({ backup }) => backup.point.requests))
  const bestSeconds = median(runs.map(({ plan }) => plan.seconds))
  const bestRequests = median(runs.map(({ plan }) => plan.requests))
  const what = `${ranges.toLocaleString('en')} ranges of 4 KiB, ${layout === 'random' ? 'at random' : 'in clusters'}`
  return [
    {
      name: `incremental of ${what}, shaped`,
      ours: `${seconds.toFixed(1)} s with ${requests.toLocaleString('en')} requests, in a run of ${runSeconds.toFixed(1)} s`,
      limit: `${bestSeconds.toFixed(1)} s with ${bestRequests.toLocaleString('en')} requests`,
      bindsBy: 'both budgets of a page blob, under the best plan',
      ratio: median(runs.map(({ backup, plan }) => plan.seconds / backup.history.transferSeconds)),
      atLeast: 0.95,
      plot: { name: `scattered-${layout}`, title: `An incremental of ${what}, shaped`, slices, ...BUDGETS },
    },
  ]
}
