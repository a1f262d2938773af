/** A restore in a history: the engine's own steps into a new disk, which is then read as its virtual machine would read it. */
import { createUploadDisk } from '../../azure/new-disks.ts'
import { blobBytesOf } from '../../domain/source-disk.ts'
import { planRestore } from '../../engine/plan-restore.ts'
import { closeUpload } from '../../engine/release-restore.ts'
import { restoreRoute } from '../../engine/restore-route.ts'
import { transfer } from '../../engine/transfer.ts'
import { verifyUpload } from '../../engine/verify-restore.ts'
import { areasOf, bytesAt } from './disk-model.ts'
import { pick, type Step } from './history.ts'
import type { World } from './world.ts'

export async function playRestore(world: World, { target, which }: Extract<Step, { do: 'restore' }>): Promise<void> {
  const { scene, lane, faults } = world
  const points = await world.points(target)
  const point = points[pick(points.length, which)]
  if (point === undefined) return
  const engine = scene.startProcess()
  const toDiskId = `${lane.diskId}-restored`
  const request = { targetUrl: lane.targetUrls[target]!, pointId: point.id, toDiskId, region: 'northeurope', requestId: 'restore' }
  const { job, disk } = await planRestore(engine, request)
  await createUploadDisk(engine.azure, disk)
  const window = { startBytes: 0, endBytes: blobBytesOf(point.sizeBytes) }
  await transfer(restoreRoute(engine, job), { window, isResumed: false, onProgress: () => {} })
  const report = await verifyUpload(engine, job)
  if (report.mismatches.length > 0) faults.push(`the restore of ${point.id} differs from its point`)
  await closeUpload(engine, disk)
  const content = world.contentOf(point)
  for (const area of areasOf(point.sizeBytes / 2 ** 30)) {
    const held = await scene.azure.readDisk(toDiskId, area.startBytes, area.endBytes - area.startBytes)
    if (content === undefined || !held.equals(bytesAt(content, area))) faults.push(`the disk restored from ${point.id} is wrong in the area at ${area.startBytes}`)
  }
  scene.azure.deleteDisk(toDiskId)
}
