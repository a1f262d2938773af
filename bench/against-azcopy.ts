/**
 * A full copy by a backup and by AzCopy, in turn, of the same disk on the same local Azure. The clock is the server's, from
 * the first page write to the last; the processor's time is that of the whole client: AzCopy, or the worker with all steps
 * of the run, the verification among them.
 */
import { MIB } from '../domain/byte-range.ts'
import { accountSas } from './account-sas.ts'
import { findAzcopy, runAzcopy } from './azcopy.ts'
import { median, type Row } from './row.ts'
import type { Setting } from './setting.ts'

const SIZE_GIB = 16
const PACERS = { on: 'its pacer as it comes', off: 'its pacer off' } as const
type Pacer = keyof typeof PACERS

export interface AgainstAzcopyOptions {
  readonly allocatedBytes: number
  readonly rounds: number
}

interface AzcopyCopy {
  readonly diskId: string
  readonly pacer: Pacer
  readonly allocatedBytes: number
}

interface Copy {
  readonly seconds: number
  readonly cpuSeconds: number | undefined
}

export async function measureAgainstAzcopy(setting: Setting, options: AgainstAzcopyOptions): Promise<Row[]> {
  const { allocatedBytes, rounds } = options
  const name = `full copy of ${allocatedBytes / MIB} MiB, unshaped, against azcopy`
  const program = await findAzcopy(process.env)
  if (program === undefined) return [{ name, ours: 'azcopy was not found on the PATH', limit: '', bindsBy: '', atMost: 0.7 }]

  await setting.azure.order('shape', { shaping: 'none' })
  const copies: Record<Pacer, { ours: Copy[]; theirs: Copy[] }> = { on: { ours: [], theirs: [] }, off: { ours: [], theirs: [] } }
  for (let round = 1; round <= rounds; round++) {
    for (const pacer of ['on', 'off'] as const) {
      const diskId = await setting.createDisk(`azcopy-${pacer}-${round}`, SIZE_GIB)
      await setting.fill(diskId, 0, allocatedBytes)
      copies[pacer].theirs.push(await copyByAzcopy(setting, program, { diskId, pacer, allocatedBytes }))
      copies[pacer].ours.push(await copyByBackup(setting, diskId))
    }
  }
  return (['on', 'off'] as const).flatMap((pacer) => rowsOf(`${name}, ${PACERS[pacer]}`, copies[pacer], allocatedBytes / MIB))
}

async function copyByBackup(setting: Setting, diskId: string): Promise<Copy> {
  const { azure, worker } = setting
  await azure.order('pageWrites')
  const before = await worker.cpuSeconds()
  await setting.backUp(diskId)
  const after = await worker.cpuSeconds()
  const { seconds } = await azure.order('pageWrites')
  return { seconds, cpuSeconds: before === undefined || after === undefined ? undefined : after - before }
}

async function copyByAzcopy(setting: Setting, program: string, { diskId, pacer, allocatedBytes }: AzcopyCopy): Promise<Copy> {
  const { azure, engine, folder, snapshot } = setting
  const snapshotId = await snapshot(diskId)
  const sourceUrl = await engine.exports.read(snapshotId)
  const sas = accountSas({ account: 'bench', key: azure.accountKey, permissions: 'rwdlc' })
  const blobUrl = `${azure.blobEndpoint}/bench/blobs/${diskId.split('/').at(-1)}.vhd?${sas}`
  await azure.order('pageWrites')
  const cpuSeconds = await runAzcopy(program, { sourceUrl, blobUrl, isPaced: pacer === 'on', folder })
  const { seconds, bytes } = await azure.order('pageWrites')
  if (bytes < allocatedBytes) throw new Error(`azcopy wrote ${bytes} bytes of ${allocatedBytes}`)
  await engine.exports.revoke(snapshotId)
  return { seconds, cpuSeconds }
}

function rowsOf(name: string, { ours, theirs }: { ours: readonly Copy[]; theirs: readonly Copy[] }, mib: number): Row[] {
  const rate = (copies: readonly Copy[]): string => `${(mib / median(copies.map(({ seconds }) => seconds))).toFixed(0)} MiB/s`
  const pairs = ours.map((one, round) => ({ one, other: theirs[round]! }))
  const time: Row = {
    name: `${name}: time`,
    ours: rate(ours),
    limit: rate(theirs),
    bindsBy: 'the local Azure on this machine',
    ratio: median(pairs.map(({ one, other }) => one.seconds / other.seconds)),
    atMost: 0.7,
  }
  const cpu = (copies: readonly Copy[]): number => median(copies.map(({ cpuSeconds }) => cpuSeconds ?? NaN))
  const isKnown = pairs.every(({ one, other }) => one.cpuSeconds !== undefined && other.cpuSeconds !== undefined)
  return [
    time,
    {
      name: `${name}: processor time of the client`,
      ours: isKnown ? `${cpu(ours).toFixed(2)} s` : 'this system does not tell the time of a process',
      limit: isKnown ? `${cpu(theirs).toFixed(2)} s` : '',
      bindsBy: 'work of the client',
      ...(isKnown && { ratio: median(pairs.map(({ one, other }) => one.cpuSeconds! / other.cpuSeconds!)) }),
      atMost: 0.3,
    },
  ]
}
