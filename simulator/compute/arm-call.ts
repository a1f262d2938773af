import type { Caller } from './roles.ts'

/** A request to the resource manager after routing, and its answer. HTTP itself stays in `compute-service.ts`. */

export interface ArmCall {
  /** `<Group>_<Verb>` as in the REST specification, e.g. `Snapshots_CreateOrUpdate`. */
  readonly operation: string
  readonly caller: Caller
  /** Path parameters by name, in the case of the request. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Path of the request without query, in its own case. */
  readonly path: string
  readonly apiVersion: string
  /** The parsed body; undefined when there is none. */
  readonly body: unknown
}

export interface ArmReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/**
 * Called before each operation that passed authentication and authorization. An answer takes the operation's place;
 * undefined lets it go on. The place for throttling and faults.
 */
export type BeforeOperation = (call: ArmCall) => Promise<ArmReply | undefined>

/** A path parameter. @throws Error when the route has none of that name. */
export function param(call: ArmCall, name: string): string {
  const value = call.params[name]
  if (value === undefined) throw new Error(`${call.operation} has no path parameter ${name}`)
  return value
}
