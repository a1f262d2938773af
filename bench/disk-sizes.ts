/** An incremental of the same change on disks of different sizes: what is not changed must cost nothing. */
import { GIB, MIB } from '../domain/byte-range.ts'
import { median, type Row } from './row.ts'
import type { Setting } from './setting.ts'

const SIZES_GIB = [64, 1024, 8191]

export interface DiskSizesOptions {
  readonly changedBytes: number
  readonly rounds: number
}

export async function measureDiskSizes(setting: Setting, { changedBytes, rounds }: DiskSizesOptions): Promise<Row[]> {
  const disks: { diskId: string; seconds: number[] }[] = []
  for (const sizeGib of SIZES_GIB) {
    const diskId = await setting.createDisk(`size-${sizeGib}`, sizeGib)
    await setting.fill(diskId, 0, 4 * MIB)
    await setting.backUp(diskId)
    disks.push({ diskId, seconds: [] })
  }
  await setting.azure.order('shape', { shaping: 'azure' })
  for (let round = 1; round <= rounds; round++) {
    for (const { diskId, seconds } of disks) {
      await setting.fill(diskId, round * GIB, changedBytes)
      const { history } = await setting.backUp(diskId)
      seconds.push(history.seconds)
    }
  }
  const medians = disks.map(({ seconds }) => median(seconds))
  const [least, most] = [Math.min(...medians), Math.max(...medians)]
  return [
    {
      name: `incremental of ${changedBytes / MIB} MiB on disks of ${SIZES_GIB.join(', ')} GiB, shaped, whole runs`,
      ours: medians.map((seconds) => `${seconds.toFixed(2)} s`).join(', '),
      limit: `${least.toFixed(2)} s`,
      bindsBy: 'the fastest of them: the change, not the disk',
      ratio: most / least,
      atMost: 1.1,
    },
  ]
}
