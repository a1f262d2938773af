import { StorageError } from './storage-error.ts'

/** A byte range as the headers spell it: `bytes=0-511`, inclusive at both ends, or `bytes=512-` to the end. */
export interface ByteRange {
  readonly startBytes: number
  /** Inclusive; undefined for a range that is open at its end. */
  readonly endBytes: number | undefined
}

export interface ClosedRange {
  readonly startBytes: number
  /** Inclusive. */
  readonly endBytes: number
}

const RANGE = /^bytes=(\d{1,16})-(\d{0,16})$/

/** @throws StorageError InvalidHeaderValue when the text is no single byte range. */
export function parseByteRange(text: string): ByteRange {
  const [, start, end] = RANGE.exec(text.trim()) ?? []
  if (start === undefined || end === undefined) throw new StorageError('InvalidHeaderValue', { reason: 'Range' })
  const startBytes = Number(start)
  const endBytes = end === '' ? undefined : Number(end)
  if (endBytes !== undefined && endBytes < startBytes) throw new StorageError('InvalidHeaderValue', { reason: 'Range' })
  return { startBytes, endBytes }
}

/**
 * Cuts a range to what a resource has.
 *
 * @throws StorageError InvalidRange (416) when it begins behind the end.
 */
export function clipRange(range: ByteRange | undefined, sizeBytes: number): ClosedRange {
  if (range === undefined) return { startBytes: 0, endBytes: sizeBytes - 1 }
  if (range.startBytes >= sizeBytes) {
    throw new StorageError('InvalidRange', { headers: { 'Content-Range': `bytes */${sizeBytes}` } })
  }
  return { startBytes: range.startBytes, endBytes: Math.min(range.endBytes ?? Infinity, sizeBytes - 1) }
}

export function rangeLength(range: ClosedRange): number {
  return range.endBytes - range.startBytes + 1
}
