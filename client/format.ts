/** Numbers and instants as people read them. Pure; nothing in here knows a terminal. */
import { formatDurationMs } from '../config/duration.ts'

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `1.5 GiB`: three digits, IEC units. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (Math.round(value) >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`
}

export function formatRate(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined ? '-' : `${formatBytes(bytesPerSecond)}/s`
}

export function formatSeconds(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)}ms` : formatDurationMs(seconds * 1000)
}

/** Time left at a rate, or `-` where nobody can tell. */
export function formatEta(restBytes: number | undefined, bytesPerSecond: number | undefined): string {
  if (restBytes === undefined || bytesPerSecond === undefined || bytesPerSecond <= 0) return '-'
  return formatSeconds(restBytes / bytesPerSecond)
}

/** `2026-11-22 10:15:00Z`. */
export function formatInstant(instant: Date | string): string {
  return new Date(instant)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
}

/** `3h 5m ago`, `in 10m`. */
export function formatRelative(instant: Date | string, nowMs: number): string {
  const distanceMs = new Date(instant).getTime() - nowMs
  return distanceMs > 0 ? `in ${formatDurationMs(distanceMs)}` : `${formatDurationMs(-distanceMs)} ago`
}

/** 0 to 100, whole; undefined where the total is not known. Never 100 before everything was moved. */
export function percentOf(movedBytes: number, totalBytes: number | undefined): number | undefined {
  if (totalBytes === undefined) return undefined
  if (totalBytes === 0) return 100
  return Math.min(100, Math.floor((movedBytes / totalBytes) * 100))
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
