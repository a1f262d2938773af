/** What must hold when a history has ended and a run without faults has gone to each target. */
import { listBlobs } from '../../azure/blob-lists.ts'
import type { AzureClients } from '../../azure/clients.ts'
import { getDisk } from '../../azure/disks.ts'
import { pointBlobsOf, type Manifest } from '../../domain/manifest.ts'
import { chainPrefix, diskPrefix, parseHoldName, targetKeyOf } from '../../domain/names.ts'
import { isSourceSnapshotOf } from '../../domain/tags.ts'
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

  for (const name of await holdsIn(world, target)) found.push(`the hold ${name} was left`)
  const points = await world.pointsAsLeft(target)
  return [...found, ...(await spareBlobSnapshots(scene.clients, targetUrl, chainPrefix(disk.id, disk.uniqueId), points))]
}

/** Names of holds, of every incarnation of the disk: whoever was restored has ended its own. */
export async function holdsIn({ scene, lane }: World, target: number): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of listBlobs(scene.clients, lane.targetUrls[target]!, { prefix: diskPrefix(lane.diskId) })) {
    if (parseHoldName(name) !== undefined) names.push(name)
  }
  return names
}

/** @returns the snapshots, also of stripes and digests, that belong to no point of a chain. */
export async function spareBlobSnapshots(azure: AzureClients, targetUrl: string, chain: string, points: readonly Manifest[]): Promise<string[]> {
  const kept = new Set(points.flatMap((point) => [...pointBlobsOf(point).map(keyOf), ...(point.digests === undefined ? [] : [keyOf(point.digests)])]))
  const spare: string[] = []
  for await (const { name, snapshot, metadata } of listBlobs(azure, targetUrl, { prefix: chain, includeSnapshots: true })) {
    if (snapshot !== undefined && !kept.has(keyOf({ name, snapshot }))) spare.push(`a snapshot of ${name} was left: ${snapshot} ${JSON.stringify(metadata)}`)
  }
  return spare
}

function keyOf({ name, snapshot }: { readonly name: string; readonly snapshot: string }): string {
  return `${name} ${snapshot}`
}
