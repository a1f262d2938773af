/**
 * Durations as people write them ("4h", "90s"), in the syntax that Temporal itself accepts, and back.
 *
 * A bare number is refused: `10` would mean ten milliseconds.
 */
import { msToNumber, type StringValue } from '@temporalio/common/lib/time.js'

/**
 * @returns 0 or more; whole seconds, as a Temporal Schedule keeps no finer times.
 * @throws TypeError with a message for the user.
 */
export function parseDurationMs(text: string): number {
  const trimmed = text.trim()
  if (!/[a-z]$/i.test(trimmed))
    throw new TypeError(`"${text}" has no unit; write a duration such as "30s", "10m" or "4h"`)
  let durationMs: number
  try {
    durationMs = msToNumber(trimmed as StringValue)
  } catch {
    throw new TypeError(`"${text}" is not a duration such as "30s", "10m" or "4h"`)
  }
  if (durationMs < 0) throw new TypeError(`"${text}" is negative`)
  if (durationMs % 1000 !== 0) throw new TypeError(`"${text}" is not a whole number of seconds`)
  return durationMs
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** The two largest units that matter: `1d 4h`, `2m 5s`, `0s`. */
export function formatDurationMs(durationMs: number): string {
  let restMs = Math.max(0, Math.round(durationMs / 1000)) * 1000
  const parts: string[] = []
  for (const [unit, unitMs] of UNITS) {
    const count = Math.floor(restMs / unitMs)
    restMs -= count * unitMs
    if (count > 0) parts.push(`${count}${unit}`)
    else if (parts.length > 0) break
    if (parts.length === 2) break
  }
  return parts.length === 0 ? '0s' : parts.join(' ')
}
