/** A full copy while the storage service refuses and drops requests, in turn with the same on a healthy line. */
import { BaseBlob } from '../azure/base-blob.ts'
import { BLOB_BYTES_PER_SECOND, BLOB_REQUESTS_PER_SECOND } from '../domain/blob-budget.ts'
import { MIB } from '../domain/byte-range.ts'
import type { FaultRuleSpec } from '../simulator/faults/fault-rule.ts'
import { isByteEqual } from './compare-with-source.ts'
import { median, type Row } from './row.ts'
import type { MeasuredBackup, Setting } from './setting.ts'

const SIZE_GIB = 4

/** On every request to storage, of the source and of the target: 5 % refused, 2 % without an answer. */
const RULES: readonly FaultRuleSpec[] = ['/md-*', '/bench/*'].flatMap((resource, index): FaultRuleSpec[] => [
  { resource, probability: 0.05, seed: 10 + index, effect: { kind: 'status', status: 503, code: 'ServerBusy' } },
  { resource, probability: 0.01, seed: 20 + index, effect: { kind: 'reset', when: 'before' } },
  { resource, probability: 0.01, seed: 30 + index, effect: { kind: 'reset', when: 'after' } },
])

export interface DisturbedLineOptions {
  readonly allocatedBytes: number
  readonly rounds: number
}

export async function measureDisturbedLine(setting: Setting, { allocatedBytes, rounds }: DisturbedLineOptions): Promise<Row[]> {
  const { azure } = setting
  await azure.order('shape', { shaping: 'azure' })
  const runs = { healthy: [] as MeasuredBackup[], disturbed: [] as MeasuredBackup[] }
  let areEqual = true
  for (let round = 1; round <= rounds; round++) {
    for (const line of ['healthy', 'disturbed'] as const) {
      const diskId = await setting.createDisk(`${line}-${round}`, SIZE_GIB)
      await setting.fill(diskId, 0, allocatedBytes)
      await azure.order('pageWrites')
      await azure.order('disturb', { rules: line === 'disturbed' ? RULES : [] })
      const backup = await setting.backUp(diskId)
      await azure.order('disturb', { rules: [] })
      runs[line].push(backup)
      if (line === 'disturbed') areEqual &&= await isPointRight(setting, diskId, backup, allocatedBytes)
    }
  }
  const { slices, refused } = await azure.order('pageWrites')
  const mib = allocatedBytes / MIB
  const rateOf = (backups: readonly MeasuredBackup[]): number => mib / median(backups.map(({ history }) => history.transferSeconds))
  const [ours, limit] = [rateOf(runs.disturbed), rateOf(runs.healthy)]
  return [
    {
      name: `full copy of ${mib} MiB, shaped, with 503 on 5 % and resets on 2 % of the requests`,
      ours: `${ours.toFixed(1)} MiB/s, ${areEqual ? 'byte-equal' : 'NOT EQUAL'}`,
      limit: `${limit.toFixed(1)} MiB/s`,
      bindsBy: 'the same without faults',
      // A wrong copy has no rate.
      ratio: areEqual ? ours / limit : 0,
      atLeast: 0.85,
      plot: {
        name: 'disturbed',
        title: `A full copy of ${mib} MiB with 503 on 5 % and resets on 2 % of the requests: ${refused} page writes failed`,
        slices,
        bytesPerSecond: BLOB_BYTES_PER_SECOND,
        requestsPerSecond: BLOB_REQUESTS_PER_SECOND,
      },
    },
  ]
}

function isPointRight(setting: Setting, diskId: string, { point }: MeasuredBackup, allocatedBytes: number): Promise<boolean> {
  const base = new BaseBlob(setting.engine.azure, setting.targetUrl, point.baseBlobName)
  return isByteEqual(setting, { diskId, base, blobSnapshot: point.blobSnapshot, range: { startBytes: 0, endBytes: allocatedBytes } })
}
