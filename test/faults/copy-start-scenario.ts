/** Faults in a backup whose mover is Azure itself: its points are snapshots in the other region, held against the same model. */
import { getDisk } from '../../azure/disks.ts'
import { listPoints } from '../../azure/manifests.ts'
import { isCopied, type CopiedManifest } from '../../domain/manifest.ts'
import { targetKeyOf, type RequestKey } from '../../domain/names.ts'
import { DEFAULT_VERIFY, type BackupOptions } from '../../domain/policy.ts'
import { newestFirst } from '../../domain/recovery-point.ts'
import type { SourceSnapshot } from '../../domain/source-disk.ts'
import { isSourceSnapshotOf } from '../../domain/tags.ts'
import { describeCause } from '../../workflows/describe-cause.ts'
import type { BackupConditions } from '../chaos/backup-step.ts'
import { areasOf, bytesAt } from '../chaos/disk-model.ts'
import { backupDisk, playWorkflow } from '../chaos/in-process-temporal.ts'
import { sourceSnapshots } from '../chaos/outside-steps.ts'
import type { World } from '../chaos/world.ts'
import { change, KEEP, type Scenario } from './scenario.ts'

export const copyStartBackup: Scenario = {
  name: 'copy-start backup',
  async arrange(world, round) {
    if ((await copiesOf(world)).length === 0) {
      world.scene.azure.createResourceGroup({ name: copyGroup(world), location: 'northeurope' })
      await change(world, round + 500)
      await playCopy(world)
    }
    await change(world, round)
  },
  run: playCopy,
  faults: faultsOfCopies,
  leavings: leftByCopies,
  again: playCopy,
}

function copyGroup({ lane }: World): string {
  return `${lane.name}-copies`
}

/** @returns what failed the run; undefined when it made its point. */
async function playCopy(world: World, { around = (run) => run(), mayFail, mayLeavePoints }: BackupConditions = {}): Promise<Error | undefined> {
  const { scene, lane, faults } = world
  const before = await copiesOf(world)
  const content = world.disk.content()
  const options: BackupOptions = {
    retention: { keepLast: KEEP },
    verify: { ...DEFAULT_VERIFY, sampleChanged: 2, sampleUnchanged: 2 },
    copyStart: { resourceGroup: copyGroup(world), region: 'northeurope' },
  }
  const input = { diskId: lane.diskId, targetUrl: lane.targetUrls[0]!, options, request: nextRequest(world) }
  const run = () =>
    playWorkflow(backupDisk, input, {
      startProcess: scene.startProcess,
      async onActivity(name, result) {
        if (name === 'takeSourceSnapshot') world.noteSnapshot((result as SourceSnapshot).uniqueId, content)
      },
    })
  const outcome = await around(run).catch((error: Error) => error)
  const after = await copiesOf(world)
  if (outcome instanceof Error) {
    const lost = before.filter(({ id }) => !after.some((point) => point.id === id))
    if (lost.length > 0) faults.push(`a run that made no point took ${idsOf(lost)} away`)
    if (mayFail?.(outcome) !== true) faults.push(`a run failed that should have gone through: ${describeCause(outcome)}`)
    return outcome
  }
  const expected = [outcome.point, ...before].slice(0, KEEP)
  // What a run was refused to tidy up, and says so, the next run does.
  const mayBeMore = mayLeavePoints === true || (mayFail !== undefined && outcome.warnings.length > 0)
  const kept = mayBeMore ? after.slice(0, KEEP) : after
  if (idsOf(kept) !== idsOf(expected)) faults.push(`${idsOf(after)} were kept and not ${idsOf(expected)}`)
  return undefined
}

function nextRequest({ requests }: World): RequestKey {
  const [earlier = []] = requests
  const request = { requestedAt: new Date(1_800_000_000_000 + earlier.length * 60_000).toISOString(), requestId: `request ${earlier.length}` }
  earlier.push(request)
  return request
}

/** Newest first. */
async function copiesOf({ scene, lane }: World): Promise<CopiedManifest[]> {
  const { points } = await listPoints(scene.clients, lane.targetUrls[0]!)
  return newestFirst(points.filter(isCopied))
}

async function faultsOfCopies(world: World): Promise<string[]> {
  const { azure } = world.scene
  const faults: string[] = []
  for (const point of await copiesOf(world)) {
    const content = world.contentOf(point)
    for (const area of areasOf(point.sizeBytes)) {
      const held = await azure.readDisk(point.copiedSnapshot.id, area.startBytes, area.endBytes - area.startBytes).catch(() => undefined)
      if (content === undefined || held?.equals(bytesAt(content, area)) !== true) faults.push(`point ${point.id} is wrong in the area at ${area.startBytes}`)
    }
  }
  return faults
}

/** What is there beside the copies of points and the source that the next copy follows. */
async function leftByCopies(world: World): Promise<string[]> {
  const { scene, lane } = world
  const disk = await getDisk(scene.clients, lane.diskId)
  const owner = { targetKey: targetKeyOf(lane.targetUrls[0]!), diskUniqueId: disk.uniqueId, role: 'copy-source' } as const
  const sources = (await sourceSnapshots(world)).filter(({ tags }) => isSourceSnapshotOf(tags, owner))
  const points = await copiesOf(world)
  const wanted = new Set(points.map(({ copiedSnapshot }) => copiedSnapshot.id.toLowerCase()))
  const left: string[] = []
  if (sources.length !== Math.sign(points.length)) left.push(`${sources.length} source snapshots were left: ${sources.map(({ name }) => name).join(' ')}`)
  for await (const { id = '' } of scene.clients.compute(scene.azure.subscriptionId).snapshots.listByResourceGroup(copyGroup(world))) {
    if (!wanted.has(id.toLowerCase())) left.push(`the copied snapshot ${id} was left`)
  }
  const granted = scene.azure.grantedAccess().filter(({ id }) => id.toLowerCase().includes(`/${lane.name}-`))
  return [...left, ...granted.map(({ id }) => `a SAS was left on ${id}`)]
}

function idsOf(points: readonly { readonly id: string }[]): string {
  return points.map(({ id }) => id).join(' ')
}
