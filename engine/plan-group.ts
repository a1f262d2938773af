/**
 * Which points make up a group of disks at an instant: all disks that a virtual machine had, by the word of their points, or
 * those that are named. Reads the target alone; makes nothing.
 */
import { listPoints } from '../azure/manifests.ts'
import { armIdOf, parseArmId, sameArmId } from '../domain/arm-id.ts'
import { BackupError } from '../domain/failures.ts'
import { isCopied, type AnyManifest, type Manifest } from '../domain/manifest.ts'
import { newestAt } from '../domain/recovery-point.ts'
import type { GroupMember } from '../domain/restore-request.ts'
import type { Engine } from './engine.ts'

export interface GroupChoice {
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
  const isSuspect = ({ id }: AnyManifest): boolean => checks.get(id)?.suspect !== undefined
  // A point that is an Azure snapshot has no bytes in the target.
  const newestOf = newestPoints(points.filter((point) => !isCopied(point)).filter((point) => !isSuspect(point)), choice.at)
  const { found, missing } = choice.vmId === undefined ? byDisks(newestOf, choice.diskIds ?? []) : { found: byVm(newestOf, choice.vmId), missing: [] }
  if (missing.length > 0 && !choice.isPartial) {
    throw notFound(choice, `holds no point of ${missing.join(', ')}; --partial restores the others`)
  }
  if (found.length === 0) throw notFound(choice, `holds no point of ${choice.vmId ?? 'any of the disks'}`)
  const members = found.map((manifest): GroupMember => memberOf(manifest, choice))
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
      ...points.filter(isSuspect).map(({ id, disk }) => `suspect, passed over: point ${id} of ${disk.name} differs from its digests`),
      ...missing.map((diskId) => `there is no point of ${diskId}, so it is left out`),
      ...damaged.map(({ blobName, reason }) => `damaged, passed over: ${blobName}: ${reason}`),
    ],
  }
}

/** One a disk, whichever of its incarnations it is of. */
function newestPoints(points: readonly Manifest[], at: string | undefined): Manifest[] {
  const byDisk = new Map<string, Manifest[]>()
  for (const point of points) {
    const key = point.disk.id.toLowerCase()
    byDisk.set(key, [...(byDisk.get(key) ?? []), point])
  }
  return [...byDisk.values()].flatMap((ofDisk) => newestAt(ofDisk, at ?? '9999-12-31T00:00:00Z') ?? [])
}

/** What the newest points say: a disk that had been detached by then is none of the machine's. */
function byVm(newest: readonly Manifest[], vmId: string): Manifest[] {
  return newest.filter(({ disk }) => disk.attachment !== undefined && sameArmId(disk.attachment.vmId, vmId))
}

function byDisks(newest: readonly Manifest[], diskIds: readonly string[]): { found: Manifest[]; missing: string[] } {
  const of = (diskId: string): Manifest | undefined => newest.find(({ disk }) => sameArmId(disk.id, diskId))
  return { found: diskIds.flatMap((id) => of(id) ?? []), missing: diskIds.filter((id) => of(id) === undefined) }
}

function memberOf({ id, takenAt, disk }: Manifest, { toSubscriptionId, toResourceGroup, suffix }: GroupChoice): GroupMember {
  const name = `${disk.name.slice(0, MAX_NAME - suffix.length)}${suffix}`
  const subscriptionId = toSubscriptionId ?? parseArmId(disk.id, 'disks').subscriptionId
  return {
    diskId: disk.id,
    pointId: id,
    takenAt,
    toDiskId: armIdOf({ subscriptionId, resourceGroup: toResourceGroup, type: 'disks', name }).id,
    ...(disk.attachment && { attachment: disk.attachment }),
  }
}

function notFound({ targetUrl, vmId, at }: GroupChoice, what: string): BackupError {
  const when = at === undefined ? '' : ` that is as old as ${at}`
  const hint = vmId === undefined ? '' : '. Which disks a machine had is told by points whose backup could read it (virtualMachines/read); without, name them by --disks'
  return new BackupError({ type: 'PointNotFound', message: `${targetUrl} ${what}${when}${hint}` })
}
