/** A backup in a history: with its fault, its changes while it runs, and what must hold of the points before and after it. */
import { isCancellation } from '@temporalio/workflow'
import { getDisk } from '../../azure/disks.ts'
import { findManifest } from '../../azure/manifests.ts'
import { armIdOf, parseArmId } from '../../domain/arm-id.ts'
import type { Manifest } from '../../domain/manifest.ts'
import { chainPrefix, recoveryPointId, sourceSnapshotName, type RequestKey } from '../../domain/names.ts'
import { DEFAULT_VERIFY, type BackupOptions } from '../../domain/policy.ts'
import { newestFirst, type AnyPoint } from '../../domain/recovery-point.ts'
import type { SourceDisk, SourceSnapshot } from '../../domain/source-disk.ts'
import { describeCause } from '../../workflows/describe-cause.ts'
import type { BackupDiskResult } from '../../workflows/messages.ts'
import { pick, type BackUp } from './history.ts'
import { failureTypeOf } from './in-process-backup.ts'
import { backupDisk, playWorkflow, Terminated } from './in-process-temporal.ts'
import type { World } from './world.ts'

export interface BackupConditions {
  /** Runs the workflow, and nothing else, within what it sets up. */
  readonly around?: <T>(run: () => Promise<T>) => Promise<T>
  /** Beside retention and verification, which the step has. */
  readonly options?: Partial<BackupOptions>
  /** Whether a failure is what the run was to end with, or may have. */
  readonly mayFail?: (error: Error) => boolean
  /** The service may say of a point that it is gone: then it stays, without a warning, until the next run. */
  readonly mayLeavePoints?: boolean
}

/** @returns what failed the run; undefined when it made its point. */
export async function playBackup(world: World, step: BackUp, { around = (run) => run(), options, mayFail, mayLeavePoints }: BackupConditions = {}): Promise<Error | undefined> {
  const { scene, lane, faults } = world
  const { fault, target, keepLast, sample } = step
  const targetUrl = lane.targetUrls[target]!
  const { request, isRepeated } = requestFor(world, step)
  const disk = await getDisk(scene.clients, lane.diskId)
  const content = world.disk.content()
  const before = await world.pointsAsLeft(target)
  const runKey = recoveryPointId(disk, targetUrl, request)
  // Also one that is damaged by now.
  const isSealed = isRepeated && (await findManifest(scene.clients, targetUrl, chainPrefix(disk.id, disk.uniqueId), runKey).then((found) => found !== undefined, () => true))

  const crash = new AbortController()
  if (fault !== undefined) {
    const onTrip = (): void => {
      if (fault.outcome !== 'answerLost') crash.abort()
    }
    scene.tripwires.set(lane.name, { ...fault, onTrip })
  }
  const verify = { ...DEFAULT_VERIFY, sampleChanged: sample, sampleUnchanged: sample }
  const input = { diskId: lane.diskId, targetUrl, request, options: { ...options, retention: { keepLast }, verify } }
  const run = (): Promise<BackupDiskResult<AnyPoint>> =>
    playWorkflow(backupDisk, input, {
      startProcess: scene.startProcess,
      crash: crash.signal,
      ...(fault !== undefined && fault.outcome !== 'answerLost' && { afterCrash: fault.outcome }),
      async onActivity(name, result) {
        if (name !== 'takeSourceSnapshot') return
        world.noteSnapshot((result as SourceSnapshot).uniqueId, content)
        await world.change(step.during)
      },
    })
  const outcome = await around(run).catch((error: Error) => error)
  scene.tripwires.set(lane.name, undefined)
  await world.noteSnapshotAt(snapshotIdOf(disk, targetUrl, request), content)

  const after = await world.points(target)
  if (outcome instanceof Error) {
    const isCancelled = fault?.outcome === 'cancelled' && isCancellation(outcome)
    const isRefused = isSealed && failureTypeOf(outcome) === 'PointExists'
    const isExpected = outcome instanceof Terminated || isCancelled || isRefused || mayFail?.(outcome) === true
    if (!isExpected) faults.push(`a run failed that should have gone through: ${describeCause(outcome)}`)
    const lost = before.filter(({ id }) => !after.some((point) => point.id === id))
    if (lost.length > 0) faults.push(`a run that made no point took ${idsOf(lost)} away`)
    const strange = after.filter(({ id }) => id !== runKey && !before.some((point) => point.id === id))
    if (strange.length > 0) faults.push(`a run made points that are not its own: ${idsOf(strange)}`)
    return outcome
  }
  const made = after.find(({ id }) => id === outcome.point.id)
  if (made === undefined) {
    faults.push(`point ${outcome.point.id} was made and is not listed`)
    return undefined
  }
  if (made.source.snapshotUniqueId === '' || world.contentOf(made) === undefined) faults.push(`point ${made.id} is of an unknown snapshot`)
  // Nobody but snapferry writes to the base blob here, so there is nothing to mend.
  if (mayFail === undefined && made.verification.rounds !== 1) faults.push(`point ${made.id} took ${made.verification.rounds} rounds`)
  const expected = newestFirst(retained(before, made, keepLast))
  // What a run was refused to tidy up, and says so, the next run does.
  const mayBeMore = mayLeavePoints === true || (mayFail !== undefined && outcome.warnings.length > 0)
  const kept = mayBeMore ? after.filter(({ id }) => expected.some((point) => point.id === id)) : after
  if (idsOf(expected) !== idsOf(kept)) faults.push(`of ${idsOf(before)} and the new ${made.id}, ${idsOf(after)} were kept and not ${idsOf(expected)}`)
  return undefined
}

function requestFor({ requests }: World, { target, repeats }: BackUp): { request: RequestKey; isRepeated: boolean } {
  const earlier = requests[target]!
  if (repeats !== undefined && earlier.length > 0) return { request: earlier[pick(earlier.length, repeats)]!, isRepeated: true }
  const request = { requestedAt: new Date(1_800_000_000_000 + earlier.length * 60_000).toISOString(), requestId: `request ${earlier.length}` }
  earlier.push(request)
  return { request, isRepeated: false }
}

/** Points of other incarnations of the disk are not the run's to delete. */
function retained(before: readonly Manifest[], made: Manifest, keepLast: number): Manifest[] {
  const chainOf = ({ disk }: Manifest): string => chainPrefix(disk.id, disk.uniqueId)
  const others = before.filter((point) => chainOf(point) !== chainOf(made))
  const own = before.filter((point) => chainOf(point) === chainOf(made) && point.id !== made.id)
  return [...others, ...newestFirst([...own, made]).slice(0, keepLast)]
}

function snapshotIdOf(disk: SourceDisk, targetUrl: string, request: RequestKey): string {
  const { subscriptionId, resourceGroup } = parseArmId(disk.id, 'disks')
  return armIdOf({ subscriptionId, resourceGroup, type: 'snapshots', name: sourceSnapshotName(disk, targetUrl, request) }).id
}

function idsOf(points: readonly Manifest[]): string {
  return points.map(({ id }) => id).join(' ')
}
