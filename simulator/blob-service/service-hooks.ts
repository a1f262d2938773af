import type { BlobRequest } from './blob-request.ts'

/**
 * The seam for what stands around every operation: faults, shaping, tests. The blob service calls the hooks and knows
 * nothing of what they do.
 */

export interface OperationCall {
  /** Name of the operation, as `PutPageFromUrl`. */
  readonly operation: string
  readonly account: string
  readonly container: string
  readonly blob: string
  /** What the request says it moves: its body, the range of a server-side copy or of a read. Zero when unknown. */
  readonly bytes: number
  readonly request: BlobRequest
}

export interface OperationOutcome {
  readonly status: number
  /** Of the error, when it is one. */
  readonly errorCode: string | undefined
}

/** What is to become of a request, beside what its operation does. */
export interface Fate {
  /** Between the operation and its answer. */
  readonly waitAfterMs?: number
  /** The operation takes effect, and the connection ends without an answer. */
  readonly dropAfter?: boolean
  /** The connection ends behind so many bytes of the body of the answer. An answer without a body goes out whole. */
  readonly cutBodyAfterBytes?: number
  /** This byte of what a write stores, or of the body of the answer, is inverted. */
  readonly flipByteAt?: number
  readonly late?: LateExecution
}

/** The request is carried out later, after its connection ended (`lost`) or once more (`done`). */
export interface LateExecution {
  readonly delayMs: number
  readonly original: 'done' | 'lost'
  readonly report: (outcome: OperationOutcome) => void
}

export interface ServiceHooks {
  /** Before rights are checked. May wait; may throw a `StorageError` to answer, or `ConnectionDropped`. */
  before?(call: OperationCall): Promise<Fate | void> | Fate | void
  /** After the operation took effect and before the answer goes out. May wait; may throw as `before`. */
  after?(call: OperationCall, outcome: OperationOutcome): Promise<void> | void
}

/** The hooks one after another; of two fates the later one goes before, property by property. */
export function combineHooks(all: readonly ServiceHooks[]): ServiceHooks {
  return {
    async before(call) {
      let fate: Fate | undefined
      for (const hooks of all) {
        const given = await hooks.before?.(call)
        if (given !== undefined) fate = { ...fate, ...given }
      }
      return fate
    },
    async after(call, outcome) {
      for (const hooks of all) await hooks.after?.(call, outcome)
    },
  }
}
