import type { OperationCall, ServiceHooks } from '../blob-service/service-hooks.ts'
import { StorageError } from '../blob-service/storage-error.ts'
import { Line } from './line.ts'
import { shapingSettings, type ShapingChange, type ShapingSettings } from './shaping-settings.ts'

/**
 * Makes the blob service as slow as a real one: bytes and requests per second of each blob and account, and latency.
 *
 * A request counts where it is addressed: for a server-side copy that is its target, not its source. A read without a
 * range counts as a request of no bytes.
 */

/** Time that passes evenly, and waiting for it. */
export interface ShapingClock {
  readonly nowMs: () => number
  readonly waitUntil: (atMs: number) => Promise<void>
}

export interface ShapingStats {
  /** Requests that were let through, and their bytes. */
  readonly admitted: number
  readonly bytes: number
  /** Requests that were answered 503. */
  readonly refused: number
}

const SYSTEM_CLOCK: ShapingClock = {
  nowMs: () => performance.now(),
  waitUntil: (atMs) => new Promise((resolve) => setTimeout(resolve, Math.ceil(atMs - performance.now()))),
}

/** Lines beyond this number are looked through for those that nothing occupies, which are as good as new ones. */
const SWEEP_LINES = 10_000

interface Lines {
  readonly bytes: Line | undefined
  readonly requests: Line | undefined
}

export class Shaper implements ServiceHooks {
  #settings: ShapingSettings
  readonly #clock: ShapingClock
  readonly #random: () => number
  #lines = new Map<string, Lines>()
  readonly #stats = { admitted: 0, bytes: 0, refused: 0 }

  constructor(change: ShapingChange = 'none', clock: ShapingClock = SYSTEM_CLOCK, random = Math.random) {
    this.#settings = shapingSettings(change)
    this.#clock = clock
    this.#random = random
  }

  settings(): ShapingSettings {
    return this.#settings
  }

  /** Takes the place of all settings; what is under way is forgotten. @throws ZodError */
  change(change: ShapingChange): ShapingSettings {
    this.#settings = shapingSettings(change)
    this.#lines = new Map()
    return this.#settings
  }

  stats(): ShapingStats {
    return { ...this.#stats }
  }

  /** Waits until the request is through. @throws StorageError ServerBusy */
  async before(call: Pick<OperationCall, 'account' | 'container' | 'blob' | 'bytes'>): Promise<void> {
    const nowMs = this.#clock.nowMs()
    const throughAtMs = this.#admit(call, nowMs)
    const { latencyMs, jitterMs } = this.#settings
    const answerAtMs = throughAtMs + latencyMs + jitterMs * this.#random()
    if (answerAtMs > nowMs) await this.#clock.waitUntil(answerAtMs)
  }

  #admit(call: Pick<OperationCall, 'account' | 'container' | 'blob' | 'bytes'>, nowMs: number): number {
    const { account, container, blob, bytes } = call
    const ofAccount = this.#linesOf(account, this.#settings.account)
    const ofBlob = blob === '' ? NO_LINES : this.#linesOf(`${account}/${container}/${blob}`, this.#settings.blob)
    if (Math.max(waitOf(ofAccount, nowMs), waitOf(ofBlob, nowMs)) > this.#settings.queueMs) {
      this.#stats.refused += 1
      throw new StorageError('ServerBusy')
    }
    this.#stats.admitted += 1
    this.#stats.bytes += bytes
    return Math.max(enter(ofAccount, bytes, nowMs), enter(ofBlob, bytes, nowMs))
  }

  #linesOf(key: string, rates: ShapingSettings['blob']): Lines {
    const { bytesPerSecond, requestsPerSecond } = rates
    if (bytesPerSecond === undefined && requestsPerSecond === undefined) return NO_LINES
    const present = this.#lines.get(key)
    if (present !== undefined) return present
    if (this.#lines.size >= SWEEP_LINES) this.#sweep()
    const lines: Lines = {
      bytes: bytesPerSecond === undefined ? undefined : new Line(bytesPerSecond),
      requests: requestsPerSecond === undefined ? undefined : new Line(requestsPerSecond),
    }
    this.#lines.set(key, lines)
    return lines
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs()
    for (const [key, lines] of this.#lines) {
      if (waitOf(lines, nowMs) === 0) this.#lines.delete(key)
    }
  }
}

const NO_LINES: Lines = { bytes: undefined, requests: undefined }

/** When a request is through. */
function enter(lines: Lines, bytes: number, nowMs: number): number {
  return Math.max(lines.bytes?.enter(bytes, nowMs) ?? nowMs, lines.requests?.enter(1, nowMs) ?? nowMs)
}

function waitOf({ bytes, requests }: Lines, nowMs: number): number {
  return Math.max(bytes?.waitOf(nowMs) ?? 0, requests?.waitOf(nowMs) ?? 0)
}
