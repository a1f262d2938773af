/**
 * The footer of a fixed VHD: its last 512 bytes, big-endian (Virtual Hard Disk Image Format Specification 1.0).
 *
 * Azure checks the cookie on import and upload, so a base blob without it is no disk.
 */
import { VHD_FOOTER_BYTES } from './source-disk.ts'

const COOKIE = 'conectix'
const FIXED_DISK = 2
const CHECKSUM_OFFSET = 64

/** Says what is wrong with a footer for a disk of `diskSizeBytes`, or undefined where it is right. */
export function findFooterFault(footer: Uint8Array, diskSizeBytes: number): string | undefined {
  if (footer.byteLength !== VHD_FOOTER_BYTES) return `it has ${footer.byteLength} bytes instead of ${VHD_FOOTER_BYTES}`
  const view = new DataView(footer.buffer, footer.byteOffset, footer.byteLength)
  const cookie = String.fromCharCode(...footer.subarray(0, COOKIE.length))
  if (cookie !== COOKIE) return `its cookie is not "${COOKIE}"`
  if (view.getUint32(60) !== FIXED_DISK) return `its disk type is ${view.getUint32(60)}, not ${FIXED_DISK} (fixed)`
  const currentSize = Number(view.getBigUint64(48))
  if (currentSize !== diskSizeBytes) return `it speaks of ${currentSize} bytes, the disk has ${diskSizeBytes}`
  if (view.getUint32(CHECKSUM_OFFSET) !== checksumOf(footer)) return 'its checksum is wrong'
  return undefined
}

/** One's complement of the sum of all bytes but the checksum's own. */
function checksumOf(footer: Uint8Array): number {
  const sum = footer.reduce((total, byte, index) => (index >= CHECKSUM_OFFSET && index < CHECKSUM_OFFSET + 4 ? total : total + byte), 0)
  return ~sum >>> 0
}
