/** Which points may be taken by what was found out since they were sealed, where nobody has named one. */
import type { AnyManifest } from './manifest.ts'
import { describeSuspicion, sharePercentOf, type PointCheck } from './point-check.ts'
import type { PointChoice } from './restore-request.ts'

export type Trust = Pick<PointChoice, 'allowsSuspect' | 'mustBeVerified'>

export const NEVER_COMPARED = 'was not compared with its digests since it was sealed'

export function isTrusted(trust: Trust, check: PointCheck | undefined): boolean {
  return !isRefusedAsSuspect(trust, check) && (trust.mustBeVerified !== true || sharePercentOf(check?.verified) > 0)
}

/** Whether it is its suspicion that keeps it from being taken. */
export function isRefusedAsSuspect({ allowsSuspect = false }: Trust, check: PointCheck | undefined): check is PointCheck & Required<Pick<PointCheck, 'suspect'>> {
  return check?.suspect !== undefined && !allowsSuspect
}

/** Of a point that is not trusted, and would have been taken. */
export function describePassedOver(trust: Trust, { id, disk }: AnyManifest, check: PointCheck | undefined): string {
  const why = isRefusedAsSuspect(trust, check) ? `is ${describeSuspicion(check.suspect)}` : NEVER_COMPARED
  return `passed over: point ${id} of ${disk.name} ${why}`
}
