/**
 * Time as the blob service stamps it: ETags and snapshot times are 100-nanosecond ticks that never repeat and never go
 * back, even when the clock behind them stands still.
 */

const TICKS_PER_MS = 10_000n
/** Ticks count from the year 1, as in .NET. */
const UNIX_EPOCH_TICKS = 621_355_968_000_000_000n

export class ServiceClock {
  readonly #now: () => Date
  #lastTicks = 0n

  constructor(now: () => Date) {
    this.#now = now
  }

  now(): Date {
    return this.#now()
  }

  /** For example `"0x8DE29A1B2C3D4E5"`, quotes included. */
  nextETag(): string {
    return `"0x${this.#nextTicks().toString(16).toUpperCase()}"`
  }

  /** For example `2026-11-22T13:45:00.1234567Z`; later calls give later times. */
  nextSnapshotTime(): string {
    return formatTicks(this.#nextTicks())
  }

  /** ETags and snapshot times from now on are later than this one, which an earlier process gave out. */
  goOnAfter(stamp: { readonly etag: string } | { readonly snapshot: string }): void {
    const ticks = 'etag' in stamp ? BigInt(stamp.etag.slice(1, -1)) : parseTicks(stamp.snapshot)
    if (ticks > this.#lastTicks) this.#lastTicks = ticks
  }

  #nextTicks(): bigint {
    const ticks = ticksOf(this.#now())
    this.#lastTicks = ticks > this.#lastTicks ? ticks : this.#lastTicks + 1n
    return this.#lastTicks
  }
}

/** A date in the form of a snapshot time. */
export function formatSnapshotTime(at: Date): string {
  return formatTicks(ticksOf(at))
}

const SNAPSHOT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z$/

export function isSnapshotTime(text: string): boolean {
  return SNAPSHOT_TIME.test(text)
}

function ticksOf(at: Date): bigint {
  return BigInt(at.getTime()) * TICKS_PER_MS + UNIX_EPOCH_TICKS
}

function parseTicks(snapshotTime: string): bigint {
  const [seconds = '', fraction = ''] = snapshotTime.slice(0, -1).split('.')
  return ticksOf(new Date(`${seconds}Z`)) + BigInt(fraction)
}

function formatTicks(ticks: bigint): string {
  const sinceEpoch = ticks - UNIX_EPOCH_TICKS
  const seconds = new Date(Number(sinceEpoch / TICKS_PER_MS)).toISOString().slice(0, 19)
  const fraction = (sinceEpoch % (TICKS_PER_MS * 1000n)).toString().padStart(7, '0')
  return `${seconds}.${fraction}Z`
}
