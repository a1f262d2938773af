/**
 * Small changes all over a disk, the same ones for the same seed: spread evenly at random, or in clusters as a database
 * makes them. No two touch, so there are exactly as many ranges as asked for.
 */
import type { ByteRange } from '../domain/byte-range.ts'
import { seededRandom } from '../domain/sampler.ts'

export interface Scatter {
  readonly ranges: number
  readonly rangeBytes: number
  /** The part of the disk that they lie in, from its beginning. */
  readonly overBytes: number
  /** Present: in clusters of so many bytes, each with so many ranges. */
  readonly clusters?: { readonly bytes: number; readonly ranges: number }
  readonly seed: number
}

/** Sorted. @throws where they do not fit without touching. */
export function scatteredRanges({ ranges, rangeBytes, overBytes, clusters, seed }: Scatter): ByteRange[] {
  const random = seededRandom(seed)
  // A range lies in the first half of its slot, so none touches the next.
  const slotBytes = 2 * rangeBytes
  if (clusters === undefined) return inSlots(choose(ranges, Math.floor(overBytes / slotBytes), random), 0, rangeBytes)
  const chosen = choose(Math.ceil(ranges / clusters.ranges), Math.floor(overBytes / clusters.bytes), random)
  const clustered = chosen.flatMap((cluster) =>
    inSlots(choose(clusters.ranges, Math.floor(clusters.bytes / slotBytes), random), cluster * clusters.bytes, rangeBytes),
  )
  return clustered.slice(0, ranges)
}

function inSlots(slots: readonly number[], fromBytes: number, rangeBytes: number): ByteRange[] {
  return slots.map((slot) => {
    const startBytes = fromBytes + slot * 2 * rangeBytes
    return { startBytes, endBytes: startBytes + rangeBytes }
  })
}

/** `count` of the numbers below `of`, ascending; each choice is as likely as any other (Knuth's Algorithm S). */
function choose(count: number, of: number, random: () => number): number[] {
  if (count > of) throw new Error(`${count} ranges do not fit into ${of} places`)
  const chosen: number[] = []
  for (let candidate = 0; chosen.length < count; candidate++) {
    if (random() * (of - candidate) < count - chosen.length) chosen.push(candidate)
  }
  return chosen
}
