/**
 * How many requests at a time a page blob is worth: as few as make it as fast as it gets.
 *
 * Probes upward as long as more requests in flight bring more work done, then settles and probes again, after a pause that
 * doubles with each probe that brought nothing: one alone may have been held up by something else.
 * Refusals halve it, once for all requests that were in flight at the time. One now and then does not: on a healthy line
 * that only says that a request has to be repeated. Reads no clock; times are the caller's.
 */

const FIRST_LIMIT = 4
export const HIGHEST_LIMIT = 64
const GROWTH = 1.5
/** Until it has settled for the first time: most transfers are short, and far or slow lines need many in flight. */
const FIRST_GROWTH = 2
/** Less is noise. */
const GAIN_WORTH_KEEPING = 1.03
/** A measurement says little before it has lasted so long, and seen each place in flight used twice. */
const SHORTEST_ROUND_MS = 100
const USES_PER_ROUND = 2
/** After so long without an answer, what was learnt of the line is old. */
const IDLE_MS = 3_000
/** Share of answers that must have come while no place was free; else it is not the limit that held the rate. */
const FULL_SHARE = 0.8
const MOST_ROUNDS_BETWEEN_PROBES = 16
/** Share of refusals among the latest answers that says: too many. Five in a row are enough. */
const REFUSED_SHARE = 0.14
/** Weight of one answer in that share. */
const ANSWER_WEIGHT = 1 / 32

type Phase =
  /** More are in flight than `limit`, to see whether that brings more than `rate`. */
  | { readonly kind: 'probing'; readonly limit: number; readonly rate: number }
  | { readonly kind: 'settled'; readonly roundsLeft: number }

interface Round {
  readonly startedAtMs: number
  answers: number
  fullAnswers: number
  work: number
}

export class AdaptiveLimit {
  #limit = FIRST_LIMIT
  #phase: Phase = { kind: 'probing', limit: FIRST_LIMIT, rate: 0 }
  #round: Round | undefined
  #refusedShare = 0
  #halvedAtMs = -Infinity
  /** Where it was halved: from near there on it goes up by one. */
  #halvedFrom = Infinity
  #growth = FIRST_GROWTH
  #roundsToNextProbe = 1
  #answeredAtMs = -Infinity

  /** Requests that may be in flight. */
  get limit(): number {
    return this.#limit
  }

  /**
   * A request was answered.
   *
   * @param work what it took of the line, in any unit that is the same for all requests.
   * @param isFull whether as many requests were in flight as allowed.
   */
  answered(work: number, isFull: boolean, nowMs: number): void {
    this.#refusedShare *= 1 - ANSWER_WEIGHT
    if (nowMs - this.#answeredAtMs > IDLE_MS) this.#probeSoon()
    this.#answeredAtMs = nowMs
    if (this.#round === undefined) {
      this.#round = { startedAtMs: nowMs, answers: 0, fullAnswers: 0, work: 0 }
      return
    }
    const round = this.#round
    round.answers += 1
    round.fullAnswers += isFull ? 1 : 0
    round.work += work
    const elapsedMs = nowMs - round.startedAtMs
    if (round.answers < USES_PER_ROUND * this.#limit || elapsedMs < SHORTEST_ROUND_MS) return
    this.#round = undefined
    if (round.fullAnswers >= FULL_SHARE * round.answers) this.#decide(round.work / elapsedMs)
  }

  /** A request that started at `startedAtMs` was refused because there are too many. */
  throttled(startedAtMs: number, nowMs: number): void {
    if (startedAtMs <= this.#halvedAtMs) return
    this.#refusedShare += ANSWER_WEIGHT * (1 - this.#refusedShare)
    if (this.#refusedShare < REFUSED_SHARE) return
    this.#halvedAtMs = nowMs
    this.#growth = GROWTH
    this.#halvedFrom = this.#limit
    this.#limit = Math.max(1, Math.floor(this.#limit / 2))
    this.#phase = { kind: 'settled', roundsLeft: 1 }
    this.#round = undefined
    this.#refusedShare = 0
  }

  /** What follows a pause is another transfer, or other requests: whether more of them pay off is asked at once, from the same limit. */
  #probeSoon(): void {
    this.#round = undefined
    this.#phase = { kind: 'settled', roundsLeft: 1 }
    this.#roundsToNextProbe = 1
    this.#growth = FIRST_GROWTH
  }

  #decide(rate: number): void {
    const phase = this.#phase
    if (phase.kind === 'settled') {
      if (phase.roundsLeft > 1) this.#phase = { kind: 'settled', roundsLeft: phase.roundsLeft - 1 }
      else this.#probe(rate)
    } else if (rate >= phase.rate * GAIN_WORTH_KEEPING) {
      this.#roundsToNextProbe = 1
      this.#probe(rate)
    } else {
      this.#settle(phase.limit)
    }
  }

  /** Goes above the present limit, of which the rate is known now. */
  #probe(rate: number): void {
    const limit = this.#limit
    if (limit > this.#halvedFrom) this.#halvedFrom = Infinity
    const isNearHalving = limit * this.#growth >= this.#halvedFrom
    const probed = Math.min(HIGHEST_LIMIT, isNearHalving ? limit + 1 : Math.ceil(limit * this.#growth))
    if (probed === limit) return this.#settle(limit)
    this.#limit = probed
    this.#phase = { kind: 'probing', limit, rate }
  }

  #settle(limit: number): void {
    this.#limit = limit
    this.#growth = GROWTH
    this.#phase = { kind: 'settled', roundsLeft: this.#roundsToNextProbe }
    this.#roundsToNextProbe = Math.min(2 * this.#roundsToNextProbe, MOST_ROUNDS_BETWEEN_PROBES)
  }
}
