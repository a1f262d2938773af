import { invalidParameter } from '../compute/arm-error.ts'
import { PAGE_BYTES, type ReadableVolume } from '../store/volume.ts'

/** Checks of the byte ranges that a caller of the control API names. Each throws ArmError 400 InvalidParameter. */

const MAX_READ_BYTES = 64 * 1024 * 1024

/** Whole pages, within the volume, and not nothing. */
export function requirePageRange(volume: ReadableVolume, offsetBytes: number, lengthBytes: number): void {
  requireRange(volume, offsetBytes, lengthBytes)
  if (offsetBytes % PAGE_BYTES !== 0) throw invalidParameter('offset', `It must be a multiple of ${PAGE_BYTES}.`)
  if (lengthBytes % PAGE_BYTES !== 0) throw invalidParameter('length', `It must be a multiple of ${PAGE_BYTES}.`)
}

/** Within the volume, not nothing, and not more than fits an answer. */
export function requireReadRange(volume: ReadableVolume, offsetBytes: number, lengthBytes: number): void {
  requireRange(volume, offsetBytes, lengthBytes)
  if (lengthBytes > MAX_READ_BYTES) throw invalidParameter('length', `At most ${MAX_READ_BYTES} bytes at once.`)
}

function requireRange(volume: ReadableVolume, offsetBytes: number, lengthBytes: number): void {
  if (!Number.isSafeInteger(offsetBytes) || offsetBytes < 0) throw invalidParameter('offset')
  if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 1) throw invalidParameter('length')
  if (offsetBytes + lengthBytes > volume.sizeBytes) {
    throw invalidParameter('length', `The range ends behind the content of ${volume.sizeBytes} bytes.`)
  }
}
