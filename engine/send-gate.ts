/**
 * Decides whose request goes next: of all lanes with room the one with the fewest requests in flight, and within it the
 * sender with the fewest; among equals, who has waited longest. So disks share a process evenly, and extents a blob.
 *
 * How much room a lane has is its own limit's business (`adaptive-limit.ts`).
 */
import { AdaptiveLimit } from './adaptive-limit.ts'
import type { Clock } from './clock.ts'

/** Everything that goes to one blob. */
export interface Lane {
  readonly limit: AdaptiveLimit
  readonly inFlight: number
}

interface Waiter {
  readonly sender: symbol
  readonly admit: () => void
}

interface OpenLane extends Lane {
  inFlight: number
  readonly inFlightBySender: Map<symbol, number>
  readonly waiters: Set<Waiter>
  pausedUntilMs: number
}

/** Of all lanes together: where bytes are streamed, each request holds 4 MiB of the worker's memory. */
const HIGHEST_IN_FLIGHT = 128
/** Idle lanes are kept for what they have learnt, up to this number. */
const MAX_KNOWN_LANES = 256

export class SendGate {
  readonly #clock: Clock
  readonly #lanes = new Map<string, OpenLane>()
  /** Lanes with waiters, known or forgotten. */
  readonly #waiting = new Set<OpenLane>()
  #inFlight = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The lane to a destination, with what it has learnt so far. */
  lane(destination: string): Lane {
    const known = this.#lanes.get(destination)
    if (known !== undefined) return known
    for (const [name, { inFlight, waiters }] of this.#lanes) {
      if (this.#lanes.size < MAX_KNOWN_LANES) break
      if (inFlight === 0 && waiters.size === 0) this.#lanes.delete(name)
    }
    const lane: OpenLane = {
      limit: new AdaptiveLimit(),
      inFlight: 0,
      inFlightBySender: new Map(),
      waiters: new Set(),
      pausedUntilMs: -Infinity,
    }
    this.#lanes.set(destination, lane)
    return lane
  }

  /** Runs `send` when it is its turn. @throws the reason of `signal` when it is aborted before. */
  async pass<Answer>(through: Lane, sender: symbol, signal: AbortSignal, send: () => Promise<Answer>): Promise<Answer> {
    const lane = through as OpenLane
    await this.#admitted(lane, sender, signal)
    try {
      return await send()
    } finally {
      this.#count(lane, sender, -1)
      this.#admitNext()
    }
  }

  /** Nothing starts on the lane for so long. */
  pause(through: Lane, pauseMs: number): void {
    const lane = through as OpenLane
    lane.pausedUntilMs = Math.max(lane.pausedUntilMs, this.#clock.nowMs() + pauseMs)
    this.#wake(lane)
  }

  /** Timers may fire a little early. */
  #wake(lane: OpenLane): void {
    const leftMs = lane.pausedUntilMs - this.#clock.nowMs()
    if (leftMs > 0) this.#clock.later(Math.ceil(leftMs), () => this.#wake(lane))
    else this.#admitNext()
  }

  #admitted(lane: OpenLane, sender: symbol, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#leave(lane, waiter)
        reject(signal.reason)
      }
      const waiter: Waiter = {
        sender,
        admit: () => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      signal.addEventListener('abort', giveUp, { once: true })
      lane.waiters.add(waiter)
      this.#waiting.add(lane)
      this.#admitNext()
    })
  }

  #admitNext(): void {
    while (this.#inFlight < HIGHEST_IN_FLIGHT) {
      const lane = this.#laneInTurn()
      const waiter = lane === undefined ? undefined : waiterInTurn(lane)
      if (lane === undefined || waiter === undefined) return
      this.#leave(lane, waiter)
      this.#count(lane, waiter.sender, 1)
      waiter.admit()
    }
  }

  #laneInTurn(): OpenLane | undefined {
    const nowMs = this.#clock.nowMs()
    let chosen: OpenLane | undefined
    for (const lane of this.#waiting) {
      const hasRoom = lane.inFlight < lane.limit.limit && lane.pausedUntilMs <= nowMs
      if (hasRoom && lane.inFlight < (chosen?.inFlight ?? Infinity)) chosen = lane
    }
    return chosen
  }

  #leave(lane: OpenLane, waiter: Waiter): void {
    lane.waiters.delete(waiter)
    if (lane.waiters.size === 0) this.#waiting.delete(lane)
  }

  #count(lane: OpenLane, sender: symbol, change: 1 | -1): void {
    this.#inFlight += change
    lane.inFlight += change
    const bySender = (lane.inFlightBySender.get(sender) ?? 0) + change
    if (bySender === 0) lane.inFlightBySender.delete(sender)
    else lane.inFlightBySender.set(sender, bySender)
  }
}

/** A Set keeps the order in which they came. */
function waiterInTurn({ waiters, inFlightBySender }: OpenLane): Waiter | undefined {
  let chosen: Waiter | undefined
  let fewest = Infinity
  for (const waiter of waiters) {
    const inFlight = inFlightBySender.get(waiter.sender) ?? 0
    if (inFlight < fewest) {
      chosen = waiter
      fewest = inFlight
    }
  }
  return chosen
}
