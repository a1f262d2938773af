import { ApplicationFailure } from '@temporalio/common'

/** The innermost message of a failure chain: Temporal wraps what an activity threw in failures that say little. */
export function describeCause(error: unknown): string {
  return failureOf(error).message
}

/** The same with the type that an activity or a child gave it. */
export function failureOf(error: unknown): { readonly type: string; readonly message: string } {
  let innermost = error
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause
  const type = innermost instanceof ApplicationFailure ? innermost.type : undefined
  return { type: type ?? (innermost instanceof Error ? innermost.name : 'Error'), message: innermost instanceof Error ? innermost.message : String(innermost) }
}
