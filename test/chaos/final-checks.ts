/** What must hold when a history has ended and a run without faults has gone to each target. */
import { BaseBlob } from '../../azure/base-blob.ts'
import { getDisk } from '../../azure/disks.ts'
import { baseBlobName, targetKeyOf } from '../../domain/names.ts'
import { isSourceSnapshotOf } from '../../domain/tags.ts'
import { listTableSnapshots } from '../../engine/prune-digests.ts'
import { faultsOfPoint } from './compare-point.ts'
import { sourceSnapshots } from './outside-steps.ts'
import type { World } from './world.ts'

/** @returns in what points, of every incarnation of the disk, differ from the model. */
export async function faultsOfPoints(world: World, target: number): Promise<string[]> {
  const { scene, lane } = world
  const faults: string[] = []
  for (const point of await world.points(target)) {
    const content = world.contentOf(point)
    if (content === undefined) faults.push(`point ${point.id} is of an unknown snapshot`)
    else faults.push(...(await faultsOfPoint(scene.startProcess(), lane.targetUrls[target]!, point, content)))
  }
  return faults
}

/** @returns what is left of the disk as it is now beside one source snapshot, the cursor, and the blob snapshots of points. */
export async function leavings(world: World, target: number): Promise<string[]> {
  const { scene, lane } = world
  const found: string[] = []
  const targetUrl = lane.targetUrls[target]!
  const disk = await getDisk(scene.clients, lane.diskId)
  const owner = { targetKey: targetKeyOf(targetUrl), diskUniqueId: disk.uniqueId }
  const ours = (await sourceSnapshots(world)).filter(({ tags }) => isSourceSnapshotOf(tags, owner))
  if (ours.length !== 1) found.push(`${ours.length} source snapshots were left: ${ours.map(({ name }) => name).join(' ')}`)
  const shared = scene.azure.grantedAccess().filter(({ id }) => ours.some((one) => one.id.toLowerCase() === id.toLowerCase()))
  if (shared.length > 0) found.push(`a SAS was left on ${shared.map(({ id }) => id).join(' ')}`)

  const kept = new Set((await world.pointsAsLeft(target)).map(({ baseBlob }) => baseBlob.snapshot))
  const base = new BaseBlob(scene.clients, targetUrl, baseBlobName(disk.id, disk.uniqueId))
  const tables = new Set((await world.pointsAsLeft(target)).map(({ digests }) => digests?.snapshot))
  const spareTables = (await listTableSnapshots(scene.startProcess(), { targetUrl, baseBlobName: base.name })).filter(({ snapshot }) => !tables.has(snapshot))
  if (spareTables.length > 0) found.push(`snapshots of the digest table were left: ${spareTables.map(({ snapshot }) => snapshot).join(' ')}`)
  const spare = (await base.listSnapshots()).filter(({ snapshot }) => !kept.has(snapshot))
  if (spare.length > 0) found.push(`blob snapshots were left: ${spare.map(({ snapshot, metadata }) => `${snapshot} ${JSON.stringify(metadata)}`).join(' ')}`)
  return found
}
