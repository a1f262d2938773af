/**
 * What a policy asks of its drills: restores to a throw-away disk that is compared, timed and deleted. Plain data that travels to
 * the workflows, and the choices that follow from it.
 */
import { hash64 } from './hash64.ts'
import type { PointCheck } from './point-check.ts'
import { newestFirst } from './recovery-point.ts'

export interface DrillRule {
  readonly region: string
  /** Of the throw-away disk, in the subscription of the disk. */
  readonly resourceGroup: string
  /** `random`: any point that is not suspect; each has the same chance. */
  readonly point: 'newest' | 'random'
  /** `one`: each drill takes one disk of the policy at random. */
  readonly disks: 'all' | 'one'
  /** Program and arguments that are run on the worker, with the path of the image as the last one; exit code 0 is success. */
  readonly command?: readonly string[]
  /** For all of a drill but its cleaning up. */
  readonly timeoutMinutes: number
  /** Silence: without a success for so long the policy is overdue. */
  readonly alertAfterMs: number
}

export const DEFAULT_DRILL_TIMEOUT_MINUTES = 24 * 60

/** The disks of one drill. A repetition of the same instant takes the same. */
export function disksToDrill(diskIds: readonly string[], disks: DrillRule['disks'], requestedAt: string): readonly string[] {
  return disks === 'all' ? diskIds : [pick(diskIds, `disk ${requestedAt}`)].filter((id) => id !== undefined)
}

/** Begins the `snapferry-request` of every disk that a drill makes. */
const DRILL_REQUEST = 'drill '

/** Names the drill, and when it began, on the disk that it makes. */
export function drillRequestId(requestedAt: string, drillId: string): string {
  return `${DRILL_REQUEST}${requestedAt} ${drillId}`
}

/** When the drill began that made a disk, by its request; undefined: no drill did. */
export function drillBegunMs(requestId: string | undefined): number | undefined {
  if (requestId?.startsWith(DRILL_REQUEST) !== true) return undefined
  return Date.parse(requestId.slice(DRILL_REQUEST.length).split(' ')[0] ?? '')
}

export interface Drillable<Point> {
  readonly point: Point
  /** Suspect ones that a drill would rather have taken. */
  readonly passedOver: readonly Point[]
}

/** @returns undefined where no point is left that is not suspect. */
export function pointToDrill<Point extends { readonly id: string; readonly takenAt: string }>(
  points: readonly Point[],
  checks: ReadonlyMap<string, PointCheck>,
  which: DrillRule['point'],
  seed: string,
): Drillable<Point> | undefined {
  const sorted = newestFirst(points)
  const isSuspect = ({ id }: Point): boolean => checks.get(id)?.suspect !== undefined
  const sound = sorted.filter((point) => !isSuspect(point))
  const point = which === 'newest' ? sound[0] : pick(sound, `point ${seed}`)
  if (point === undefined) return undefined
  return { point, passedOver: which === 'newest' ? sorted.slice(0, sorted.indexOf(point)) : sorted.filter(isSuspect) }
}

function pick<Item>(items: readonly Item[], seed: string): Item | undefined {
  return items[Number(BigInt(`0x${hash64(seed)}`) % BigInt(Math.max(1, items.length)))]
}
