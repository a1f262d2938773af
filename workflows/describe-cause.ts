import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import type { ByteRange } from '../domain/byte-range.ts'

/** The details of a failure that names what differs. */
export interface Mismatches {
  readonly mismatches: readonly ByteRange[]
  /** Points that are to blame and are marked as suspect. Absent: nobody was asked. */
  readonly suspects?: readonly string[]
}

/** The innermost message of a failure chain: Temporal wraps what an activity threw in failures that say little. */
export function describeCause(error: unknown): string {
  return failureOf(error).message
}

/** Of one of many, such as a disk of a policy: with thousands of them Temporal would not take what the run says at its end. The run itself says all. */
export const MAX_REASON_LENGTH = 300

/** `describeCause`, cut where it is long. */
export function briefCause(error: unknown): string {
  const cause = describeCause(error)
  return cause.length <= MAX_REASON_LENGTH ? cause : `${cause.slice(0, MAX_REASON_LENGTH - 1)}…`
}

/** The whole innermost message with the type that an activity or a child gave it. */
export function failureOf(error: unknown): { readonly type: string; readonly message: string } {
  const innermost = innermostOf(error)
  if (innermost instanceof CancelledFailure) return { type: innermost.name, message: 'it was cancelled' }
  const type = innermost instanceof ApplicationFailure ? innermost.type : undefined
  return { type: type ?? (innermost instanceof Error ? innermost.name : 'Error'), message: innermost instanceof Error ? innermost.message : String(innermost) }
}

/** What differs, where a failure says so. */
export function mismatchesOf(error: unknown): Mismatches | undefined {
  const innermost = innermostOf(error)
  const [details] = innermost instanceof ApplicationFailure ? (innermost.details ?? []) : []
  return typeof details === 'object' && details !== null && 'mismatches' in details ? (details as Mismatches) : undefined
}

function innermostOf(error: unknown): unknown {
  let innermost = error
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause
  return innermost
}
