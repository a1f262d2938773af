/**
 * A line of limited capacity, in virtual time: what enters occupies it for as long as its amount takes, one after
 * another. So any number of callers together get the rate exactly, however late their timers fire.
 *
 * It does not wait and reads no clock; times are milliseconds of the caller's.
 */
export class Line {
  readonly #unitsPerMs: number
  #freeAtMs = -Infinity

  constructor(unitsPerSecond: number) {
    this.#unitsPerMs = unitsPerSecond / 1000
  }

  /** When an amount that enters now would be through. */
  endOf(amount: number, nowMs: number): number {
    return Math.max(nowMs, this.#freeAtMs) + amount / this.#unitsPerMs
  }

  /** How long an amount that enters now has to wait for those before it. */
  waitOf(nowMs: number): number {
    return Math.max(0, this.#freeAtMs - nowMs)
  }

  /** Lets it enter; gives when it is through. */
  enter(amount: number, nowMs: number): number {
    this.#freeAtMs = this.endOf(amount, nowMs)
    return this.#freeAtMs
  }
}
