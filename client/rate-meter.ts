/** Throughput over the last seconds, from samples of a counter. */

export interface RateMeter {
  /** Samples come in order of time; a counter that falls back (a new round, a retried extent) starts anew. */
  add(atMs: number, bytes: number): void
  /** undefined until two samples lie apart. */
  bytesPerSecond(): number | undefined
}

/** @param windowMs how far back the rate looks: long enough to be calm, short enough to be true. */
export function createRateMeter(windowMs = 15_000): RateMeter {
  let samples: { atMs: number; bytes: number }[] = []
  return {
    add(atMs, bytes) {
      const last = samples.at(-1)
      if (last !== undefined && bytes < last.bytes) samples = []
      samples.push({ atMs, bytes })
      // One sample older than the window stays, so that the window is spanned whole.
      while (samples.length > 2 && atMs - (samples[1]?.atMs ?? atMs) >= windowMs) samples.shift()
    },
    bytesPerSecond() {
      const [first] = samples
      const last = samples.at(-1)
      if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined
      return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs)
    },
  }
}
