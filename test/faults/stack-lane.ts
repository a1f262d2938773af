/** A lane of the killable stack with the model of its disk, and what must hold of its points. */
import { listPoints } from '../../azure/manifests.ts'
import { GIB, KIB, MIB } from '../../domain/byte-range.ts'
import { isCopied, type Manifest } from '../../domain/manifest.ts'
import { chainPrefix } from '../../domain/names.ts'
import { newestFirst } from '../../domain/recovery-point.ts'
import { seededRandom } from '../../domain/sampler.ts'
import { faultsOfPoint } from '../chaos/compare-point.ts'
import { spareBlobSnapshots } from '../chaos/final-checks.ts'
import { createDiskModel, type Content, type DiskModel } from '../chaos/disk-model.ts'
import { noise } from '../support/random-disk.ts'
import type { KillableStack, StackLane } from './killable-stack.ts'
import { SEED } from './reliability-report.ts'

export interface Lane extends StackLane {
  readonly model: DiskModel
  /** What the disk held at each of its runs, oldest first. */
  readonly contents: Content[]
}

export async function openLane(stack: KillableStack): Promise<Lane> {
  return { ...(await stack.openLane(1)), model: createDiskModel(GIB), contents: [] }
}

/** Writes and discards before a run, whose point then holds what `contents` ends with. */
export async function changeDisk({ azure }: KillableStack, { diskId, name, model, contents }: Lane): Promise<void> {
  const random = seededRandom(SEED + contents.length * 1000 + Number(/\d+/.exec(name)?.[0]))
  for (const offsetBytes of [0, MIB, 3 * MIB]) {
    const data = noise(64 * KIB, random)
    await azure.control('PUT', '/content', { id: diskId, offset: offsetBytes }, data)
    model.write(offsetBytes, data)
  }
  const hole = { startBytes: 16 * KIB, endBytes: 32 * KIB }
  await azure.control('DELETE', '/content', { id: diskId, offset: hole.startBytes, length: hole.endBytes - hole.startBytes })
  model.clear(hole)
  contents.push(model.content())
}

/** Newest first. */
export async function pointsOf({ clients }: KillableStack, { diskId }: Lane, targetUrl: string): Promise<Manifest[]> {
  const { points } = await listPoints(clients, targetUrl, { diskId })
  return newestFirst(points.filter((point): point is Manifest => !isCopied(point)))
}

/** @returns in what the points of a lane differ from its newest contents. */
export async function faultsOfLane(stack: KillableStack, lane: Lane, targetUrl: string, keepLast: number): Promise<string[]> {
  const points = await pointsOf(stack, lane, targetUrl)
  const expected = lane.contents.slice(-keepLast).toReversed()
  const faults = points.length === expected.length ? [] : [`${points.length} points and not ${expected.length}`]
  for (const [index, point] of points.entries()) {
    const content = expected[index]
    if (content !== undefined) faults.push(...(await faultsOfPoint(stack.engine, targetUrl, point, content)))
  }
  return faults
}

/** @returns what is there beside one source snapshot and the blob snapshots of points. */
export async function leftInLane(stack: KillableStack, lane: Lane, targetUrl: string): Promise<string[]> {
  const { azure, clients } = stack
  const granted = (await azure.control('GET', '/access')) as readonly { id: string }[]
  const left = granted.filter(({ id }) => id.includes(lane.name)).map(({ id }) => `a SAS on ${id}`)
  const snapshots: string[] = []
  for await (const { name } of clients.compute(azure.endpoints.subscriptionId).snapshots.listByResourceGroup(`${lane.name}-group`)) snapshots.push(name ?? '')
  if (snapshots.length !== 1) left.push(`source snapshots ${snapshots.join(' ')}`)
  const points = await pointsOf(stack, lane, targetUrl)
  for (const { disk } of points.slice(0, 1)) left.push(...(await spareBlobSnapshots(clients, targetUrl, chainPrefix(disk.id, disk.uniqueId), points)))
  return left
}
