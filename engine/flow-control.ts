/**
 * Lets the requests of all transfers of a process go, and holds them back: as many in flight to each destination blob as
 * that blob is worth (`adaptive-limit.ts`), evenly shared by the extents that write to it, and all of them under the
 * caps of the worker and of the policies.
 *
 * Knows nothing of what is sent. Each process counts for itself; several workers on one blob find their shares by being
 * throttled.
 */
import { secondsAtLimit } from '../domain/blob-budget.ts'
import { MIB } from '../domain/byte-range.ts'
import { isFailure } from '../domain/failures.ts'
import type { RateCap } from '../domain/transfer-job.ts'
import { SYSTEM_CLOCK, type Clock } from './clock.ts'
import { Pace } from './pace.ts'
import { Reserve } from './reserve.ts'
import { SendGate, type Lane } from './send-gate.ts'

export interface FlowCaps {
  /** Of the worker, all its transfers together; undefined: no cap. */
  readonly maxMibPerSecond?: number | undefined
  readonly maxRequestsPerSecond?: number | undefined
}

/** What one transfer sends through. */
export interface Flow {
  /**
   * Sends when it is its turn. A throttled request is sent again, alone, after the pause that Azure asks for; a long
   * pause is Temporal's, which needs no worker for it.
   */
  send<Answer>(bytes: number, request: () => Promise<Answer>, signal: AbortSignal): Promise<Answer>
  /**
   * Reads, and writes what was read when it is its turn. Reads run ahead of the writes, so that the line to the destination
   * never waits for the source, as far as this process has memory for all its streams.
   */
  stream<Data, Answer>(
    bytes: number,
    read: () => Promise<Data>,
    write: (data: Data) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer>
}

const MAX_THROTTLED_ATTEMPTS = 8
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 30_000
/** What all streams of a process hold: 32 requests of 4 MiB keep a blob busy whose reads take two seconds each. */
const STREAM_MEMORY_BYTES = 128 * MIB

export class FlowControl {
  readonly #clock: Clock
  readonly #gate: SendGate
  readonly #byteCap: Pace | undefined
  readonly #requestCap: Pace | undefined
  readonly #namedCaps = new Map<string, Pace>()
  readonly #memory = new Reserve(STREAM_MEMORY_BYTES)

  constructor({ maxMibPerSecond, maxRequestsPerSecond }: FlowCaps = {}, clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock
    this.#gate = new SendGate(clock)
    this.#byteCap = maxMibPerSecond === undefined ? undefined : new Pace(maxMibPerSecond * MIB, clock)
    this.#requestCap = maxRequestsPerSecond === undefined ? undefined : new Pace(maxRequestsPerSecond, clock)
  }

  /** @param destination names the blob that is written, the same for all transfers that write it. */
  open(destination: string, cap?: RateCap): Flow {
    const sender = Symbol(destination)
    const namedCap = cap === undefined ? undefined : this.#namedCap(cap)
    const writing = this.#gate.lane(destination)
    const send: Flow['send'] = (bytes, request, signal) =>
      this.#persist(signal, () =>
        this.#gate.pass(writing, sender, signal, async () => {
          await this.#requestCap?.take(1, signal)
          await this.#byteCap?.take(bytes, signal)
          await namedCap?.take(bytes, signal)
          return this.#measured(writing, bytes, request)
        }),
      )
    return {
      send,
      stream: (bytes, read, write, signal) =>
        this.#memory.hold(bytes, signal, async () => {
          const reading = this.#gate.lane(`source of ${destination}`)
          const data = await this.#persist(signal, () =>
            this.#gate.pass(reading, sender, signal, () => this.#measured(reading, bytes, read)),
          )
          return send(bytes, () => write(data), signal)
        }),
    }
  }

  async #persist<Answer>(signal: AbortSignal, attemptOnce: () => Promise<Answer>): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await attemptOnce()
      } catch (error) {
        if (!isFailure(error, 'AzureThrottled') || attempt === MAX_THROTTLED_ATTEMPTS) throw error
        const pauseMs = error.retryAfterMs ?? FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random())
        if (pauseMs > LONGEST_PAUSE_MS) throw error
        await this.#clock.sleep(pauseMs, signal)
      }
    }
  }

  async #measured<Answer>(lane: Lane, bytes: number, request: () => Promise<Answer>): Promise<Answer> {
    const startedAtMs = this.#clock.nowMs()
    try {
      const answer = await request()
      const isFull = lane.inFlight >= lane.limit.limit
      lane.limit.answered(secondsAtLimit(bytes, 1), isFull, this.#clock.nowMs())
      return answer
    } catch (error) {
      if (isFailure(error, 'AzureThrottled')) {
        lane.limit.throttled(startedAtMs, this.#clock.nowMs())
        if (error.retryAfterMs !== undefined) this.#gate.pause(lane, Math.min(error.retryAfterMs, LONGEST_PAUSE_MS))
      }
      throw error
    }
  }

  /** A policy that was changed takes its new cap along with its next transfer. */
  #namedCap({ name, maxMibPerSecond }: RateCap): Pace {
    const key = `${maxMibPerSecond} ${name}`
    const pace = this.#namedCaps.get(key) ?? new Pace(maxMibPerSecond * MIB, this.#clock)
    this.#namedCaps.set(key, pace)
    return pace
  }
}
