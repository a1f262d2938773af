/**
 * What the local Azure has seen of requests that change pages: a hook around its operations that notes when the first
 * began, when the last ended, and how much was done in each tenth of a second between.
 */
import type { OperationCall, OperationOutcome, ServiceHooks } from '../simulator/blob-service/service-hooks.ts'

export const SLICE_MS = 100

export interface Slice {
  readonly requests: number
  readonly bytes: number
}

export interface PageWrites {
  /** From the beginning of the first to the end of the last. */
  readonly seconds: number
  /** Those that succeeded. */
  readonly requests: number
  readonly bytes: number
  readonly refused: number
  /** One after another, each `SLICE_MS` long, by when requests were answered. */
  readonly slices: readonly Slice[]
}

const OPERATIONS = new Set(['PutPage', 'PutPageFromUrl', 'ClearPages'])
const NOTHING: Slice = { requests: 0, bytes: 0 }

export class PageWriteWatch implements ServiceHooks {
  #startedAtMs: number | undefined
  #endedAtMs = 0
  #refused = 0
  #slices: Slice[] = []

  before({ operation }: OperationCall): void {
    if (OPERATIONS.has(operation)) this.#startedAtMs ??= performance.now()
  }

  after({ operation, bytes }: OperationCall, { errorCode }: OperationOutcome): void {
    if (!OPERATIONS.has(operation) || this.#startedAtMs === undefined) return
    if (errorCode !== undefined) {
      this.#refused += 1
      return
    }
    this.#endedAtMs = performance.now()
    const slice = Math.floor((this.#endedAtMs - this.#startedAtMs) / SLICE_MS)
    while (this.#slices.length <= slice) this.#slices.push(NOTHING)
    const before = this.#slices[slice] ?? NOTHING
    this.#slices[slice] = { requests: before.requests + 1, bytes: before.bytes + bytes }
  }

  /** What was seen since the last time. */
  take(): PageWrites {
    const slices = this.#slices
    const seen = {
      seconds: this.#startedAtMs === undefined ? 0 : (this.#endedAtMs - this.#startedAtMs) / 1000,
      requests: slices.reduce((sum, { requests }) => sum + requests, 0),
      bytes: slices.reduce((sum, { bytes }) => sum + bytes, 0),
      refused: this.#refused,
      slices,
    }
    this.#startedAtMs = undefined
    this.#endedAtMs = 0
    this.#refused = 0
    this.#slices = []
    return seen
  }
}
