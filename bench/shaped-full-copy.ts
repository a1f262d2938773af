/** A full copy at the speed of one page blob on Azure: what is lost beside what the blob takes. */
import { BLOB_BYTES_PER_SECOND, BLOB_REQUESTS_PER_SECOND } from '../domain/blob-budget.ts'
import { MIB } from '../domain/byte-range.ts'
import { median, type Row } from './row.ts'
import type { MeasuredBackup, Setting } from './setting.ts'

const SIZE_GIB = 4

export interface ShapedFullCopyOptions {
  readonly allocatedBytes: number
  readonly rounds: number
}

export async function measureShapedFullCopy(setting: Setting, { allocatedBytes, rounds }: ShapedFullCopyOptions): Promise<Row[]> {
  const { azure } = setting
  await azure.order('shape', { shaping: 'azure' })
  const backups: MeasuredBackup[] = []
  for (let round = 1; round <= rounds; round++) {
    const diskId = await setting.createDisk(`full-${round}`, SIZE_GIB)
    await setting.fill(diskId, 0, allocatedBytes)
    await azure.order('pageWrites')
    backups.push(await setting.backUp(diskId))
  }
  const { slices } = await azure.order('pageWrites')
  const mib = allocatedBytes / MIB
  const seconds = median(backups.map(({ history }) => history.transferSeconds))
  const runSeconds = median(backups.map(({ history }) => history.seconds))
  const limit = BLOB_BYTES_PER_SECOND / MIB
  return [
    {
      name: `full copy of ${mib} MiB on a disk of ${SIZE_GIB} GiB, shaped`,
      ours: `${(mib / seconds).toFixed(1)} MiB/s: ${seconds.toFixed(1)} s in a run of ${runSeconds.toFixed(1)} s`,
      limit: `${limit} MiB/s`,
      bindsBy: 'bytes per second of a page blob',
      ratio: mib / seconds / limit,
      atLeast: 0.97,
      plot: {
        name: 'full-copy',
        title: `A full copy of ${mib} MiB, shaped like one page blob on Azure`,
        slices,
        bytesPerSecond: BLOB_BYTES_PER_SECOND,
        requestsPerSecond: BLOB_REQUESTS_PER_SECOND,
      },
    },
  ]
}
