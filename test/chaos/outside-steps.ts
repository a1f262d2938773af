/** What strangers do beside snapferry: snapshots of their own, and deletions of what is ours. */
import { BaseBlob } from '../../azure/base-blob.ts'
import { deleteManifest } from '../../azure/manifests.ts'
import { chainPrefix, manifestName } from '../../domain/names.ts'
import { pick, type Step } from './history.ts'
import type { World } from './world.ts'

const FOREIGN = 'foreign'

export async function snapshotByOthers({ scene, lane }: World): Promise<void> {
  // Foreign ones are never deleted, so their number is a name that is free.
  const foreign = (await sourceSnapshots({ scene, lane })).filter((one) => one.name.startsWith(FOREIGN))
  const name = `${FOREIGN}-${lane.name}-${foreign.length}`
  await scene.clients.compute(scene.azure.subscriptionId).snapshots.createOrUpdate(lane.resourceGroup, name, {
    location: 'westeurope',
    incremental: true,
    creationData: { createOption: 'Copy', sourceResourceId: lane.diskId },
  })
}

export async function deleteByOthers(world: World, { what, target, which }: Extract<Step, { do: 'deleteByOthers' }>): Promise<void> {
  const { scene, lane } = world
  if (what === 'sourceSnapshot') {
    const ours = (await sourceSnapshots(world)).filter(({ name }) => !name.startsWith(FOREIGN))
    const chosen = ours[pick(ours.length, which)]
    if (chosen !== undefined) scene.azure.deleteSnapshot(chosen.id)
    return
  }
  const points = await world.pointsAsLeft(target)
  const point = points[pick(points.length, which)]
  if (point === undefined) return
  world.forgetPoints(target)
  const targetUrl = lane.targetUrls[target]!
  if (what === 'manifest') await deleteManifest(scene.clients, targetUrl, manifestName(chainPrefix(point.disk.id, point.disk.uniqueId), point.id))
  else await new BaseBlob(scene.clients, targetUrl, point.baseBlob.name).deleteSnapshot(point.baseBlob.snapshot)
}

export interface FoundSnapshot {
  readonly id: string
  readonly name: string
  readonly tags: Readonly<Record<string, string>>
}

export async function sourceSnapshots({ scene, lane }: Pick<World, 'scene' | 'lane'>): Promise<FoundSnapshot[]> {
  const found: FoundSnapshot[] = []
  for await (const { id, name, tags } of scene.clients.compute(scene.azure.subscriptionId).snapshots.listByResourceGroup(lane.resourceGroup)) {
    found.push({ id: id ?? '', name: name ?? '', tags: tags ?? {} })
  }
  return found
}
