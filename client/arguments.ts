/** Checks of command-line arguments that the domain does not make: instants, regions, zones, numbers. */
import { parseDurationMs } from '../config/duration.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { BackupError } from '../domain/failures.ts'

const ISO_INSTANT = /^(?<date>\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/

/**
 * An ISO 8601 date (its midnight UTC) or an instant with a time zone; a local time without one would mean something
 * else on another machine.
 *
 * @returns the instant in UTC.
 * @throws BackupError InvalidArgument
 */
export function requireInstant(option: string, text: string): string {
  const date = ISO_INSTANT.exec(text)?.groups?.['date']
  const atMs = date !== undefined && isInCalendar(date) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(atMs)) {
    throw invalidArgument(option, text, 'expected an ISO 8601 date or instant such as 2026-11-22T10:15:00Z')
  }
  return new Date(atMs).toISOString()
}

/** `Date.parse` takes the 31st of November for the 1st of December. */
function isInCalendar(date: string): boolean {
  const midnight = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date)
}

/** `westeurope`: the short name, as ARM takes it; "West Europe" is brought into that form. */
export function requireRegion(option: string, text: string): string {
  const region = text.replace(/\s+/g, '').toLowerCase()
  if (!/^[a-z][a-z0-9]{2,40}$/.test(region)) {
    throw invalidArgument(option, text, 'expected the name of a region such as westeurope')
  }
  return region
}

/** `none` is one too: a disk that is to be in no zone, although the source disk was in one. */
export function requireZone(option: string, text: string): string {
  if (!/^([1-9]|none)$/.test(text)) {
    throw invalidArgument(option, text, 'expected the number of an availability zone such as 1, or none')
  }
  return text
}

/** `36h`, `2d`; in milliseconds. */
export function requireDuration(option: string, text: string): number {
  try {
    return parseDurationMs(text)
  } catch (error) {
    throw invalidArgument(option, text, error instanceof Error ? error.message : String(error))
  }
}

export function requireCount(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw invalidArgument(option, text, 'expected a whole number of 1 or more')
  return Number(text)
}

/** What an earlier sample says that it was drawn by: 32 bits. */
export function requireSeed(option: string, text: string): number {
  const seed = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(seed < 2 ** 32)) throw invalidArgument(option, text, 'expected the seed of an earlier sample, a whole number below 4294967296')
  return seed
}

/** One of the words, or undefined where the option is not given. */
export function requireChoice<Word extends string>(option: string, text: string | undefined, words: readonly Word[]): Word | undefined {
  const found = words.find((word) => word === text)
  if (found === undefined && text !== undefined) throw invalidArgument(option, text, `expected ${words.join(' or ')}`)
  return found
}

/** `0-511`: first and last byte, both inclusive as in HTTP; or `0:512`: offset and length. */
export function parseByteRange(option: string, text: string): ByteRange {
  const [, start = '', sign, number = ''] = /^(\d{1,15})([-:])(\d{1,15})$/.exec(text.trim()) ?? []
  const startBytes = Number(start)
  const range = { startBytes, endBytes: sign === ':' ? startBytes + Number(number) : Number(number) + 1 }
  if (start === '' || range.endBytes <= range.startBytes) {
    throw invalidArgument(option, text, 'expected the first and the last byte such as 0-511, or offset and length such as 0:512')
  }
  return range
}

export function invalidArgument(option: string, text: string, expected: string): BackupError {
  return new BackupError({ type: 'InvalidArgument', message: `${option} is "${text}"; ${expected}`, facts: { option } })
}
