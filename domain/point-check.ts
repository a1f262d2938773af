/**
 * What is known of a recovery point since it was sealed: when its bytes were last compared with its digests, and whether they were found to
 * differ. JSON beside the manifest, which never changes.
 */
import { z } from 'zod'
import { coarsen, describeRanges, normalize, type ByteRange } from './byte-range.ts'

const FORMAT = 1
/** A superset does no harm, and the file stays small. */
const MAX_RANGES = 256
/** They travel with every step of a run. */
const MAX_MENDED_RANGES = 64

/** Levels that need the target alone. */
export const TARGET_LEVELS = ['structure', 'sample', 'full'] as const
export const VERIFY_LEVELS = [...TARGET_LEVELS, 'source'] as const
/**
 * `structure` reads lists and tables only, `sample` some chunks, `full` all of them; `source` reads them in the source snapshot as well,
 * which lives as long as its point is the newest.
 */
export type VerifyLevel = (typeof VERIFY_LEVELS)[number]
export type TargetLevel = (typeof TARGET_LEVELS)[number]

const count = z.number().int().nonnegative()
const range = z.object({ startBytes: count, endBytes: count })

const verified = z.object({
  level: z.enum(VERIFY_LEVELS),
  at: z.iso.datetime({ offset: true }),
  comparedBytes: count,
  /** Of the chunks; absent: all of them were compared, or none at level `structure`. */
  percent: z.number().exactOptional(),
  seed: count.exactOptional(),
})

const suspect = z.object({
  since: z.iso.datetime({ offset: true }),
  /** A cover, by chunks, of what differs from the digests. */
  ranges: z.array(range),
  /** The point whose verification found it: pages are shared. */
  foundIn: z.string(),
  /** The source snapshot holds something else, whatever the digests say. */
  isBySource: z.literal(true).exactOptional(),
  /** What is known of the point cannot be read, for this reason: it might be damage. */
  unreadable: z.string().exactOptional(),
  /** The run that transferred these ranges again, so that later points are right. */
  mendedBy: z.string().exactOptional(),
})

const pointCheck = z.object({
  format: z.literal(FORMAT),
  pointId: z.string(),
  /** The last comparison that found nothing; one of more bytes stays before one of less. */
  verified: verified.exactOptional(),
  suspect: suspect.exactOptional(),
})

export type Verified = Readonly<z.infer<typeof verified>>
export type Suspicion = Readonly<z.infer<typeof suspect>>
export type PointCheck = Readonly<z.infer<typeof pointCheck>>

export function encodePointCheck(check: PointCheck): string {
  return `${JSON.stringify(pointCheck.parse(check), null, 2)}\n`
}

/** One that cannot be read might have told of damage, so its point counts as suspect. */
export function decodePointCheck(pointId: string, text: string): PointCheck {
  try {
    return pointCheck.parse(JSON.parse(text))
  } catch {
    return unreadableCheck(pointId, 'what is known of it is not in a form that can be read')
  }
}

export function unreadableCheck(pointId: string, unreadable: string): PointCheck {
  return { format: FORMAT, pointId, suspect: { since: new Date(0).toISOString(), ranges: [], foundIn: pointId, unreadable } }
}

export function passed(was: PointCheck | undefined, pointId: string, found: Verified): PointCheck {
  const { suspect: suspicion, verified: before, ...rest } = was ?? { format: FORMAT, pointId }
  // Who read less has not undone that more was read.
  const known = before !== undefined && sharePercentOf(before) > sharePercentOf(found) ? before : found
  return { ...rest, verified: known, ...(suspicion !== undefined && !isLifted(suspicion, found) && { suspect: suspicion }) }
}

/** How much of the bytes of a point was compared since it was sealed. */
export function sharePercentOf(known: Verified | undefined): number {
  if (known === undefined || known.level === 'structure' || known.comparedBytes === 0) return 0
  return known.percent ?? 100
}

/** Only who has read everything may lift a suspicion, and digests cannot lift what the source has found. */
function isLifted({ isBySource }: Suspicion, { level, percent }: Verified): boolean {
  if (percent !== undefined) return false
  return level === 'source' || (level === 'full' && isBySource !== true)
}

/** Since when, from what and where, as a part of a sentence about the point. */
export function describeSuspicion(suspicion: Suspicion): string {
  const { since, ranges, unreadable } = suspicion
  if (unreadable !== undefined) return `suspect: ${unreadable}`
  const where = ranges.length === 0 ? '' : ` at ${describeRanges(ranges)}`
  return `suspect since ${since}: its bytes differ from ${differsFrom(suspicion)}${where}`
}

/** What the bytes of a suspect point differ from. */
export function differsFrom({ isBySource }: Suspicion): string {
  return isBySource === true ? 'its source snapshot' : 'its digests'
}

export function suspected(was: PointCheck | undefined, pointId: string, found: Omit<Suspicion, 'mendedBy'>): PointCheck {
  const before = was?.suspect === undefined || was.suspect.mendedBy !== undefined ? [] : was.suspect.ranges
  return { format: FORMAT, pointId, suspect: { ...found, ranges: coarsen([...before, ...found.ranges], MAX_RANGES) } }
}

export function mended(was: PointCheck, runKey: string): PointCheck {
  return was.suspect === undefined ? was : { ...was, suspect: { ...was.suspect, mendedBy: runKey } }
}

/** What the next run has to read again from the source. */
export function rangesToMend(checks: Iterable<PointCheck>): ByteRange[] {
  const ranges = [...checks].flatMap(({ suspect: found }) => (found === undefined || found.mendedBy !== undefined ? [] : found.ranges))
  return coarsen(ranges, MAX_MENDED_RANGES)
}

/** What a run says that it has mended: nothing that it did not read again. Of too many ranges some are left for the next run to say. */
export function claimedAsMended(readAgain: readonly ByteRange[]): ByteRange[] {
  return normalize(readAgain).slice(0, MAX_MENDED_RANGES)
}

/** Whether a run that mended these ranges has mended all that is known of. */
export function isMendedBy({ suspect: found }: PointCheck, mendedRanges: readonly ByteRange[]): boolean {
  if (found === undefined || found.mendedBy !== undefined || found.ranges.length === 0) return false
  return found.ranges.every(({ startBytes, endBytes }) => mendedRanges.some((one) => one.startBytes <= startBytes && endBytes <= one.endBytes))
}
