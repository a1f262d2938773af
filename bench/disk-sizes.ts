/** An incremental of the same change on disks of different sizes: what is not changed must cost nothing. */
import { GIB, MIB } from '../domain/byte-range.ts'
import { median, type Row } from './row.ts'
import type { Setting } from './setting.ts'

const SIZES_GIB = [64, 1024, 8191]

export interface DiskSizesOptions {
  readonly changedBytes: number
  readonly rounds: number
}

export async function measureDiskSizes(setting: Setting, { changedBytes, rounds }: DiskSizesOptions): Promise<Row> {
  const disks = await Promise.all(
    SIZES_GIB.map(async (sizeGib) => ({
      diskId: await setting.createDisk(`size-${sizeGib}`, sizeGib),
      seconds: [] as number[],
    })),
  )
  for (const { diskId } of disks) {
    await setting.fill(diskId, 0, 4 * MIB)
    await setting.backUp(diskId)
  }
  for (let round = 1; round <= rounds; round++) {
    for (const { diskId, seconds } of disks) {
      await setting.fill(diskId, round * GIB, changedBytes)
      seconds.push((await setting.backUp(diskId)).seconds)
    }
  }
  const medians = disks.map(({ seconds }) => median(seconds))
  const [least, most] = [Math.min(...medians), Math.max(...medians)]
  return {
    name: `incremental of ${changedBytes / MIB} MiB on disks of ${SIZES_GIB.join(', ')} GiB`,
    ours: medians.map((seconds) => `${seconds.toFixed(2)} s`).join(', '),
    limit: 'the shortest of them',
    bindsBy: 'what changed',
    ratio: most / least,
    atMost: 1.1,
  }
}
