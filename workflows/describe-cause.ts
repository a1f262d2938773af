/** The innermost message of a failure chain: Temporal wraps what an activity threw in failures that say little. */
export function describeCause(error: unknown): string {
  let innermost = error
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause
  return innermost instanceof Error ? innermost.message : String(innermost)
}
