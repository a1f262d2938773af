/**
 * Which points make up a group of disks at an instant: all disks that a virtual machine had, by the word of their points, or
 * those that are named. Reads the target alone; makes nothing.
 */
import { listPoints } from '../azure/manifests.ts'
import { armIdOf, parseArmId } from '../domain/arm-id.ts'
import type { DiskAttachment } from '../domain/attachment.ts'
import { BackupError } from '../domain/failures.ts'
import type { AnyManifest } from '../domain/manifest.ts'
import { describeSuspicion, type PointCheck } from '../domain/point-check.ts'
import { describePassedOver, isTrusted, type Trust } from '../domain/point-trust.ts'
import { newestFirst } from '../domain/recovery-point.ts'
import type { GroupMember } from '../domain/restore-request.ts'
import { warnOfEarlier } from './choose-point.ts'
import type { Engine } from './engine.ts'
import { believed, disksOfVm, tellingPoint } from './vm-disks.ts'

export interface GroupChoice extends Trust {
  readonly targetUrl: string
  /** Either the virtual machine or its disks. */
  readonly vmId?: string
  readonly diskIds?: readonly string[]
  /** ISO instant; absent: the newest points. */
  readonly at?: string
  readonly toSubscriptionId?: string
  readonly toResourceGroup: string
  /** Goes behind the name of each disk. */
  readonly suffix: string
  /** Disks without a point are left out instead of refused. */
  readonly isPartial: boolean
}

export interface GroupPlan {
  readonly members: readonly GroupMember[]
  /** Between the oldest and the newest of the points: they were not taken at one instant. */
  readonly spreadMs: number
  readonly notes: readonly string[]
}

/** Longest name of a disk (learn.microsoft.com, resource name rules). */
const MAX_NAME = 80

/** @throws BackupError PointNotFound | InvalidArgument */
export async function planGroup(engine: Engine, choice: GroupChoice, signal?: AbortSignal): Promise<GroupPlan> {
  const { points, damaged, checks } = await listPoints(engine.azure, choice.targetUrl, {}, signal)
  const isTrustedPoint = ({ id }: AnyManifest): boolean => isTrusted(choice, checks.get(id))
  const disks = pointsByDisk(points, choice.at)
  // Which disks there are is told by their points; which point of each is restored, by what is known of them.
  const { diskIds, notes: leftOut } = choice.vmId === undefined ? { diskIds: choice.diskIds ?? [], notes: [] } : disksOfVm(disks, choice.vmId)
  const of = (diskId: string): readonly AnyManifest[] => disks.get(diskId.toLowerCase()) ?? []
  const found = diskIds.flatMap((diskId) => of(diskId).find(isTrustedPoint) ?? [])
  const missing = diskIds.filter((diskId) => !of(diskId).some(isTrustedPoint))
  const notes = diskIds.flatMap((diskId) => pointsBefore(of(diskId), isTrustedPoint).map((point) => describePassedOver(choice, point, checks.get(point.id))))
  if (missing.length > 0 && !choice.isPartial) {
    throw notFound(choice, `holds no point of ${missing.join(', ')}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}; --partial restores the others`)
  }
  if (found.length === 0) throw notFound(choice, `holds no point of ${choice.vmId ?? 'any of the disks'}`)
  const members = found.map((manifest): GroupMember => memberOf(manifest, tellingPoint(of(manifest.disk.id))?.disk.attachment, choice))
  const names = members.map(({ toDiskId }) => toDiskId.toLowerCase())
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new BackupError({ type: 'InvalidArgument', message: `two of the disks would become ${twice}; restore one of them by itself, to another name` })
  }
  const instants = found.map(({ takenAt }) => Date.parse(takenAt))
  return {
    members,
    spreadMs: Math.max(...instants) - Math.min(...instants),
    notes: [
      ...notes,
      ...leftOut,
      ...diskIds.flatMap((diskId) => believed(of(diskId))),
      ...found.flatMap((point) => warnOfSuspect(point, checks.get(point.id))),
      ...found.flatMap((point) => warnOfEarlier(point, of(point.disk.id))),
      ...missing.map((diskId) => `there is no point of ${diskId}, so it is left out`),
      ...damaged.map(({ blobName, reason }) => `damaged, passed over: ${blobName}: ${reason}`),
    ],
  }
}

/** Of each disk, whichever of its incarnations they are of; newest first. */
function pointsByDisk(points: readonly AnyManifest[], at: string | undefined): Map<string, AnyManifest[]> {
  const byDisk = new Map<string, AnyManifest[]>()
  for (const point of newestFirst(points)) {
    if (at !== undefined && Date.parse(point.takenAt) > Date.parse(at)) continue
    const key = point.disk.id.toLowerCase()
    const ofDisk = byDisk.get(key)
    if (ofDisk === undefined) byDisk.set(key, [point])
    else ofDisk.push(point)
  }
  return byDisk
}

/** Those that would have been taken rather than the first that is trusted. */
function pointsBefore(ofDisk: readonly AnyManifest[], isTrustedPoint: (point: AnyManifest) => boolean): readonly AnyManifest[] {
  const first = ofDisk.findIndex(isTrustedPoint)
  return ofDisk.slice(0, first === -1 ? undefined : first)
}

function warnOfSuspect({ id, disk }: AnyManifest, check: PointCheck | undefined): string[] {
  return check?.suspect === undefined ? [] : [`SUSPECT: point ${id} of ${disk.name} is restored as it is, and is ${describeSuspicion(check.suspect)}`]
}

function memberOf({ id, takenAt, disk }: AnyManifest, attachment: DiskAttachment | undefined, { toSubscriptionId, toResourceGroup, suffix }: GroupChoice): GroupMember {
  const name = `${disk.name.slice(0, MAX_NAME - suffix.length)}${suffix}`
  const subscriptionId = toSubscriptionId ?? parseArmId(disk.id, 'disks').subscriptionId
  return {
    diskId: disk.id,
    pointId: id,
    takenAt,
    toDiskId: armIdOf({ subscriptionId, resourceGroup: toResourceGroup, type: 'disks', name }).id,
    ...(attachment && { attachment }),
  }
}

function notFound({ targetUrl, vmId, at }: GroupChoice, what: string): BackupError {
  const when = at === undefined ? '' : ` that is as old as ${at}`
  const hint = vmId === undefined ? '' : '. Which disks a machine had is told by points whose backup could read it (virtualMachines/read); without, name them by --disks'
  return new BackupError({ type: 'PointNotFound', message: `${targetUrl} ${what}${when}${hint}` })
}
