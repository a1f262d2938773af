/** A full copy over four stripes beside the same over one: each page blob has a rate of its own. */
import { GIB, MIB } from '../domain/byte-range.ts'
import { STRIPE_UNIT_BYTES } from '../domain/stripes.ts'
import { median, type Row } from './row.ts'
import type { Setting } from './setting.ts'

const SIZE_GIB = 1024
const STRIPES = 4
/** A unit in each stripe. */
const PIECE_BYTES = STRIPES * STRIPE_UNIT_BYTES

export interface StripedOptions {
  readonly allocatedBytes: number
  readonly rounds: number
}

export async function measureStriped(setting: Setting, { allocatedBytes, rounds }: StripedOptions): Promise<Row[]> {
  await setting.azure.order('shape', { shaping: 'azure' })
  const seconds = { one: [] as number[], striped: [] as number[] }
  for (let round = 1; round <= rounds; round++) {
    // The faster first, while the local Azure still has memory for what is written.
    for (const [kind, stripes] of [['striped', STRIPES], ['one', 1]] as const) {
      const diskId = await setting.createDisk(`${kind}-${round}`, SIZE_GIB)
      await fillEvenly(setting, diskId, allocatedBytes)
      const { history } = await setting.backUp(diskId, { stripes })
      seconds[kind].push(history.transferSeconds)
    }
  }
  const mib = allocatedBytes / MIB
  const [one, striped] = [mib / median(seconds.one), mib / median(seconds.striped)]
  return [
    {
      name: `full copy of ${mib} MiB on a disk of ${SIZE_GIB} GiB over ${STRIPES} stripes, shaped, against one`,
      ours: `${striped.toFixed(1)} MiB/s`,
      limit: `${one.toFixed(1)} MiB/s over one`,
      bindsBy: 'bytes per second of each page blob',
      ratio: striped / one,
      atLeast: 3.5,
    },
  ]
}

/** All over the disk, and as much in each stripe. */
async function fillEvenly(setting: Setting, diskId: string, allocatedBytes: number): Promise<void> {
  const pieces = allocatedBytes / PIECE_BYTES
  const strideBytes = Math.floor((SIZE_GIB * GIB) / pieces / PIECE_BYTES) * PIECE_BYTES
  for (let piece = 0; piece < pieces; piece++) await setting.fill(diskId, piece * strideBytes, PIECE_BYTES)
}
