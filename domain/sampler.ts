/**
 * A random sample of fixed size from a stream of ranges of unknown length (reservoir sampling), cut down to chunks.
 * Seeded, so that a report can be repeated.
 */
import { PAGE_BYTES, lengthOf, type ByteRange } from './byte-range.ts'

export interface Sampler {
  offer(range: ByteRange): void
  /** The chosen chunks, sorted and disjoint. */
  chunks(): ByteRange[]
}

/** Every offered range has the same chance; of a longer range one chunk of `chunkBytes` is taken, at a random page. */
export function createSampler(size: number, chunkBytes: number, random: () => number): Sampler {
  const chosen: ByteRange[] = []
  let offered = 0
  return {
    offer(range) {
      offered += 1
      if (chosen.length < size) {
        chosen.push(chunkOf(range, chunkBytes, random))
        return
      }
      const place = Math.floor(random() * offered)
      if (place < size) chosen[place] = chunkOf(range, chunkBytes, random)
    },
    chunks: () => [...chosen].sort((a, b) => a.startBytes - b.startBytes),
  }
}

function chunkOf(range: ByteRange, chunkBytes: number, random: () => number): ByteRange {
  const spareBytes = lengthOf(range) - chunkBytes
  if (spareBytes <= 0) return { startBytes: range.startBytes, endBytes: range.endBytes }
  const startBytes = range.startBytes + Math.floor((random() * (spareBytes + PAGE_BYTES)) / PAGE_BYTES) * PAGE_BYTES
  return { startBytes, endBytes: Math.min(startBytes + chunkBytes, range.endBytes) }
}

/** A small seeded generator (mulberry32), uniform in [0, 1). Not for secrets. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
