/** Many small backups at once on one worker: what a backup costs beside its bytes. */
import { MIB } from '../domain/byte-range.ts'
import type { Row } from './row.ts'
import type { Setting } from './setting.ts'

const CHANGED_BYTES = 16 * MIB
const SIZE_GIB = 32
const MOST_ACTIONS = 30

export async function measureManyDisks(setting: Setting, { disks }: { disks: number }): Promise<Row[]> {
  const { worker } = setting
  const diskIds: string[] = []
  for (let index = 0; index < disks; index++) {
    const diskId = await setting.createDisk(`many-${index}`, SIZE_GIB)
    diskIds.push(diskId)
    await setting.fill(diskId, 0, 4 * MIB)
  }
  await Promise.all(diskIds.map((diskId) => setting.backUp(diskId)))
  for (const diskId of diskIds) await setting.fill(diskId, 0, CHANGED_BYTES)
  const heartbeatsBefore = await worker.heartbeats()
  const cpuBefore = await worker.cpuSeconds()
  const startedMs = performance.now()
  const backups = await Promise.all(diskIds.map((diskId) => setting.backUp(diskId)))
  const minutes = (performance.now() - startedMs) / 60_000
  const cpuSeconds = (await worker.cpuSeconds()) ?? NaN
  const heartbeats = ((await worker.heartbeats()) - heartbeatsBefore) / disks
  const actions = backups.reduce((sum, { history }) => sum + history.actions, 0) / disks + heartbeats
  const movedShare = Math.max(...backups.map(({ point }) => point.movedBytes / point.changedBytes))
  const name = `${disks} disks with ${CHANGED_BYTES / MIB} MiB changed each, one worker`
  const cpuOfEach = cpuBefore === undefined ? '' : `, ${(((cpuSeconds - cpuBefore) * 1000) / disks).toFixed(0)} ms of CPU each`
  return [
    {
      name: `${name}: Temporal actions of a backup`,
      ours: `${actions.toFixed(1)}, ${heartbeats.toFixed(1)} of them heartbeats; ${(disks / minutes).toFixed(0)} backups/min${cpuOfEach}`,
      limit: `${MOST_ACTIONS} actions`,
      bindsBy: 'steps of a run',
      ratio: actions / MOST_ACTIONS,
      atMost: 1,
    },
    {
      name: `${name}: bytes moved`,
      ours: `${((movedShare * CHANGED_BYTES) / MIB).toFixed(2)} MiB of the worst`,
      limit: `${CHANGED_BYTES / MIB} MiB`,
      bindsBy: 'bytes that changed',
      ratio: movedShare,
      atMost: 1.1,
    },
  ]
}
