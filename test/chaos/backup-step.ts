/** A backup in a history: with its fault, its changes while it runs, and what must hold of the points before and after it. */
import { armIdOf, parseArmId } from '../../domain/arm-id.ts'
import { isFailure } from '../../domain/failures.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { chainPrefix, recoveryPointId, sourceSnapshotName, type RequestKey } from '../../domain/names.ts'
import { DEFAULT_VERIFY } from '../../domain/policy.ts'
import { newestFirst } from '../../domain/recovery-point.ts'
import { pick, type Step } from './history.ts'
import { backUpInProcess, Stopped } from './in-process-backup.ts'
import type { World } from './world.ts'

type BackUp = Extract<Step, { do: 'backUp' }>

export async function playBackup(world: World, step: BackUp): Promise<void> {
  const { scene, lane, faults } = world
  const { fault, target, keepLast } = step
  const targetUrl = lane.targetUrls[target]!
  const { request, isRepeated } = requestFor(world, step)
  const content = world.disk.content()
  const before = await world.points(target)

  const crash = new AbortController()
  if (fault !== undefined) {
    const onTrip = (): void => {
      if (fault.outcome !== 'answerLost') crash.abort()
    }
    scene.tripwires.set(lane.name, { ...fault, onTrip })
  }
  let outcome: Manifest | Error
  try {
    outcome = await backUpInProcess({
      diskId: lane.diskId,
      targetUrl,
      request,
      options: { retention: { keepLast }, verify: DEFAULT_VERIFY },
      startProcess: scene.startProcess,
      crash: crash.signal,
      afterCrash: fault === undefined || fault.outcome === 'answerLost' ? 'resumed' : fault.outcome,
      async onSnapshot({ uniqueId }) {
        world.noteSnapshot(uniqueId, content)
        await world.change(step.during)
      },
    })
  } catch (error) {
    outcome = error as Error
  }
  scene.tripwires.set(lane.name, undefined)
  await world.noteSnapshotAt(snapshotIdOf(lane.diskId, targetUrl, request), content)

  const after = await world.points(target)
  if (outcome instanceof Error) {
    const runKey = recoveryPointId(lane.diskId, targetUrl, request)
    if (!isAllowed(outcome, isRepeated)) faults.push(`a run failed that should have gone through: ${outcome.message}`)
    const lost = before.filter(({ id }) => !after.some((point) => point.id === id))
    if (lost.length > 0) faults.push(`a run that made no point took ${idsOf(lost)} away`)
    const strange = after.filter(({ id }) => id !== runKey && !before.some((point) => point.id === id))
    if (strange.length > 0) faults.push(`a run made points that are not its own: ${idsOf(strange)}`)
    return
  }
  if (outcome.source.snapshotUniqueId === '' || world.contentOf(outcome) === undefined) faults.push(`point ${outcome.id} is of an unknown snapshot`)
  // Nobody but snapferry writes to the base blob here, so there is nothing to mend.
  if (outcome.verification.rounds !== 1) faults.push(`point ${outcome.id} took ${outcome.verification.rounds} rounds`)
  const expected = newestFirst(retained(before, outcome, keepLast))
  if (idsOf(expected) !== idsOf(after)) faults.push(`of ${idsOf(before)} and the new ${outcome.id}, ${idsOf(after)} were kept and not ${idsOf(expected)}`)
}

function requestFor({ requests }: World, { target, repeats }: BackUp): { request: RequestKey; isRepeated: boolean } {
  const earlier = requests[target]!
  if (repeats !== undefined && earlier.length > 0) return { request: earlier[pick(earlier.length, repeats)]!, isRepeated: true }
  const request = { requestedAt: new Date(1_800_000_000_000 + earlier.length * 60_000).toISOString(), requestId: `request ${earlier.length}` }
  earlier.push(request)
  return { request, isRepeated: false }
}

/** Who repeats a request that was carried out before may be told so. */
function isAllowed(error: Error, isRepeated: boolean): boolean {
  return error instanceof Stopped || (isRepeated && isFailure(error, 'PointExists'))
}

/** Points of other incarnations of the disk are not the run's to delete. */
function retained(before: readonly Manifest[], made: Manifest, keepLast: number): Manifest[] {
  const chainOf = ({ disk }: Manifest): string => chainPrefix(disk.id, disk.uniqueId)
  const others = before.filter((point) => chainOf(point) !== chainOf(made))
  const own = before.filter((point) => chainOf(point) === chainOf(made) && point.id !== made.id)
  return [...others, ...newestFirst([...own, made]).slice(0, keepLast)]
}

function snapshotIdOf(diskId: string, targetUrl: string, request: RequestKey): string {
  const { subscriptionId, resourceGroup } = parseArmId(diskId, 'disks')
  return armIdOf({ subscriptionId, resourceGroup, type: 'snapshots', name: sourceSnapshotName(diskId, targetUrl, request) }).id
}

function idsOf(points: readonly Manifest[]): string {
  return points.map(({ id }) => id).join(' ')
}
