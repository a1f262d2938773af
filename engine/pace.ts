/**
 * A cap on a rate: what is taken occupies the line for as long as its amount takes, one after another. So any number of
 * callers together get the rate and no more, in the order in which they came, and what is not used is not saved up.
 */
import type { Clock } from './clock.ts'

export class Pace {
  readonly #unitsPerMs: number
  readonly #clock: Clock
  #freeAtMs = -Infinity

  constructor(unitsPerSecond: number, clock: Clock) {
    this.#unitsPerMs = unitsPerSecond / 1000
    this.#clock = clock
  }

  /** Resolves when the amount may start. An amount that is given up while it waits leaves its place empty. */
  async take(amount: number, signal?: AbortSignal): Promise<void> {
    const nowMs = this.#clock.nowMs()
    const startAtMs = Math.max(nowMs, this.#freeAtMs)
    this.#freeAtMs = startAtMs + amount / this.#unitsPerMs
    if (startAtMs > nowMs) await this.#clock.sleep(startAtMs - nowMs, signal)
  }
}
