/**
 * The seam for whatever stands around operations: faults, shaping, limits, counting. The blob service calls the hooks
 * and knows nothing of what they do.
 */

export interface OperationCall {
  /** Name of the operation, as `PutPageFromUrl`. */
  readonly operation: string
  readonly account: string
  readonly container: string
  readonly blob: string
  /** What the request says it moves: its body, or the range of a server-side copy. Zero when unknown. */
  readonly bytes: number
}

export interface OperationOutcome {
  readonly status: number
  /** Of the error, when it is one. */
  readonly errorCode: string | undefined
}

export interface ServiceHooks {
  /** Before rights are checked. May wait; may throw a `StorageError` to answer, or `ConnectionDropped`. */
  before?(call: OperationCall): Promise<void> | void
  /** After the operation took effect and before the answer goes out. May wait; may throw as `before`. */
  after?(call: OperationCall, outcome: OperationOutcome): Promise<void> | void
}

/** Thrown by a hook: the connection ends without an answer. */
export class ConnectionDropped extends Error {}
