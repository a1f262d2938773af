/**
 * The footer of a fixed VHD: the 512 bytes behind the content of a disk that is exported or uploaded
 * (Virtual Hard Disk Image Format Specification, version 1.0, October 2006, "Hard Disk Footer Format").
 */

export const VHD_FOOTER_BYTES = 512

export interface VhdFooterFields {
  /** Size of the disk without the footer, a multiple of 512. */
  readonly diskSizeBytes: number
  readonly createdAt: Date
  /** A UUID. */
  readonly uniqueId: string
}

export interface DiskGeometry {
  readonly cylinders: number
  readonly heads: number
  readonly sectorsPerTrack: number
}

const COOKIE = 'conectix'
const CHECKSUM_OFFSET = 64
/** Seconds in a footer count from here. */
const EPOCH_MS = Date.UTC(2000, 0, 1)
const FIXED_DISK = 2

/** The footer of a fixed disk. The same fields give the same bytes. */
export function createVhdFooter(fields: VhdFooterFields): Buffer {
  const footer = Buffer.alloc(VHD_FOOTER_BYTES)
  const geometry = diskGeometry(fields.diskSizeBytes)
  footer.write(COOKIE, 0, 'latin1')
  footer.writeUInt32BE(0x00000002, 8) // features: the reserved bit, always set
  footer.writeUInt32BE(0x00010000, 12) // file format version
  footer.fill(0xff, 16, 24) // data offset: none in a fixed disk
  footer.writeUInt32BE(Math.floor((fields.createdAt.getTime() - EPOCH_MS) / 1000), 24)
  footer.write('wa\0\0', 28, 'latin1') // creator application
  footer.writeUInt32BE(0x00070000, 32) // creator version
  footer.write('Wi2k', 36, 'latin1') // creator host operating system
  footer.writeBigUInt64BE(BigInt(fields.diskSizeBytes), 40) // original size
  footer.writeBigUInt64BE(BigInt(fields.diskSizeBytes), 48) // current size
  footer.writeUInt16BE(geometry.cylinders, 56)
  footer.writeUInt8(geometry.heads, 58)
  footer.writeUInt8(geometry.sectorsPerTrack, 59)
  footer.writeUInt32BE(FIXED_DISK, 60)
  footer.write(fields.uniqueId.replaceAll('-', ''), 68, 'hex')
  footer.writeUInt32BE(vhdChecksum(footer), CHECKSUM_OFFSET)
  return footer
}

/** Whether the footer starts with the cookie, the one thing that Azure is known to check of an upload. */
export function hasVhdCookie(footer: Buffer): boolean {
  return footer.toString('latin1', 0, COOKIE.length) === COOKIE
}

/** One's complement of the sum of all bytes, those of the checksum itself left out. */
export function vhdChecksum(footer: Buffer): number {
  let sum = 0
  for (const [offset, byte] of footer.entries()) {
    if (offset < CHECKSUM_OFFSET || offset >= CHECKSUM_OFFSET + 4) sum += byte
  }
  return ~sum >>> 0
}

/** Cylinders, heads and sectors by the algorithm of the specification's appendix; larger disks get its maximum. */
export function diskGeometry(diskSizeBytes: number): DiskGeometry {
  const totalSectors = Math.min(Math.floor(diskSizeBytes / 512), 65535 * 16 * 255)
  if (totalSectors >= 65535 * 16 * 63) return geometryOf(totalSectors, 16, 255)

  const tracks = Math.floor(totalSectors / 17)
  const heads = Math.max(4, Math.floor((tracks + 1023) / 1024))
  if (heads <= 16 && tracks < heads * 1024) return geometryOf(totalSectors, heads, 17)
  if (Math.floor(totalSectors / 31) < 16 * 1024) return geometryOf(totalSectors, 16, 31)
  return geometryOf(totalSectors, 16, 63)
}

function geometryOf(totalSectors: number, heads: number, sectorsPerTrack: number): DiskGeometry {
  return { cylinders: Math.floor(Math.floor(totalSectors / sectorsPerTrack) / heads), heads, sectorsPerTrack }
}
