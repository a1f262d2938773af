/** Many small backups at once on one worker: what a backup costs beside its bytes. */
import { MIB } from '../domain/byte-range.ts'
import type { Row } from './row.ts'
import type { Setting } from './setting.ts'

const CHANGED_BYTES = 16 * MIB
const SIZE_GIB = 32

export async function measureManyDisks(setting: Setting, { disks }: { disks: number }): Promise<Row> {
  const diskIds: string[] = []
  for (let index = 0; index < disks; index++) {
    const diskId = await setting.createDisk(`many-${index}`, SIZE_GIB)
    diskIds.push(diskId)
    await setting.fill(diskId, 0, 4 * MIB)
  }
  await Promise.all(diskIds.map((diskId) => setting.backUp(diskId)))
  for (const diskId of diskIds) await setting.fill(diskId, 0, CHANGED_BYTES)
  const startedMs = performance.now()
  const backups = await Promise.all(diskIds.map((diskId) => setting.backUp(diskId)))
  const minutes = (performance.now() - startedMs) / 60_000
  const events = Math.max(...backups.map(({ historyEvents }) => historyEvents))
  const movedShares = backups.map(({ point }) => point.movedBytes / point.changedBytes)
  return {
    name: `${disks} disks with ${CHANGED_BYTES / MIB} MiB changed each, one worker`,
    ours: `${(disks / minutes).toFixed(0)} backups/min, ${events} events each`,
    limit: 'bytes that changed',
    bindsBy: 'bytes moved',
    ratio: Math.max(...movedShares),
    atMost: 1.1,
  }
}
