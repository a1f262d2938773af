/**
 * A bucket of tokens that is filled at a steady rate. Time is given by the caller, and so are size and rate, which may
 * change while it is in use.
 */

export interface BucketLimit {
  readonly capacity: number
  readonly tokensPerSecond: number
}

export class TokenBucket {
  #tokens: number | undefined
  #filledAtMs = 0

  /** Whole tokens in it now. */
  level(limit: BucketLimit, nowMs: number): number {
    return Math.floor(this.#fill(limit, nowMs))
  }

  take(limit: BucketLimit, nowMs: number): void {
    this.#tokens = this.#fill(limit, nowMs) - 1
  }

  /** Whole seconds until there is a token, at least one. */
  secondsToToken(limit: BucketLimit, nowMs: number): number {
    return Math.max(1, Math.ceil((1 - this.#fill(limit, nowMs)) / limit.tokensPerSecond))
  }

  #fill(limit: BucketLimit, nowMs: number): number {
    const passedSeconds = Math.max(0, nowMs - this.#filledAtMs) / 1000
    const filled = this.#tokens === undefined ? limit.capacity : this.#tokens + passedSeconds * limit.tokensPerSecond
    this.#tokens = Math.min(limit.capacity, filled)
    this.#filledAtMs = nowMs
    return this.#tokens
  }
}
