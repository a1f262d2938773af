/** A restore by upload at the speed of one page blob on Azure: what is lost beside what the new disk's blob takes. */
import { BLOB_BYTES_PER_SECOND } from '../domain/blob-budget.ts'
import { MIB } from '../domain/byte-range.ts'
import { median, type Row } from './row.ts'
import type { RunHistory } from './run-history.ts'
import type { Setting } from './setting.ts'

const SIZE_GIB = 4

export interface RestoreOptions {
  readonly allocatedBytes: number
  readonly rounds: number
}

export async function measureRestore(setting: Setting, { allocatedBytes, rounds }: RestoreOptions): Promise<Row[]> {
  const { azure } = setting
  const diskId = await setting.createDisk('restore-source', SIZE_GIB)
  await setting.fill(diskId, 0, allocatedBytes)
  const { point } = await setting.backUp(diskId)
  await azure.order('shape', { shaping: 'azure' })
  const restores: RunHistory[] = []
  for (let round = 1; round <= rounds; round++) restores.push(await setting.restore(point.id, `restored-${round}`))
  const mib = allocatedBytes / MIB
  const seconds = median(restores.map(({ transferSeconds }) => transferSeconds))
  const runSeconds = median(restores.map((history) => history.seconds))
  const limit = BLOB_BYTES_PER_SECOND / MIB
  return [
    {
      name: `restore of ${mib} MiB to a disk of ${SIZE_GIB} GiB, shaped`,
      ours: `${(mib / seconds).toFixed(1)} MiB/s: ${seconds.toFixed(1)} s in a run of ${runSeconds.toFixed(1)} s`,
      limit: `${limit} MiB/s`,
      bindsBy: 'bytes per second of a page blob',
      ratio: mib / seconds / limit,
      atLeast: 0.95,
    },
  ]
}
