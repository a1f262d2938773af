/** The footer of a fixed VHD, by the VHD specification 1.0; written here anew, so that it is not the code under test. */
import { randomBytes } from 'node:crypto'

const FOOTER_BYTES = 512
const FIXED_DISK = 2

/** @param diskBytes without the footer */
export function fixedVhdFooter(diskBytes: number): Buffer {
  const footer = Buffer.alloc(FOOTER_BYTES)
  footer.write('conectix', 0, 'latin1')
  footer.writeUInt32BE(2, 8)
  footer.writeUInt32BE(0x0001_0000, 12)
  footer.writeBigUInt64BE(0xffff_ffff_ffff_ffffn, 16)
  footer.write('tst ', 28, 'latin1')
  footer.writeUInt32BE(0x0001_0000, 32)
  footer.write('Wi2k', 36, 'latin1')
  footer.writeBigUInt64BE(BigInt(diskBytes), 40)
  footer.writeBigUInt64BE(BigInt(diskBytes), 48)
  writeGeometry(footer, diskBytes)
  footer.writeUInt32BE(FIXED_DISK, 60)
  randomBytes(16).copy(footer, 68)
  const sum = footer.reduce((total, byte) => total + byte, 0)
  footer.writeUInt32BE(~sum >>> 0, 64)
  return footer
}

/** Cylinders, heads and sectors of a disk of up to 17 heads by 17 sectors; readers take the size field for the truth. */
function writeGeometry(footer: Buffer, diskBytes: number): void {
  const [heads, sectors] = [4, 17]
  footer.writeUInt16BE(Math.min(65_535, Math.floor(diskBytes / 512 / sectors / heads)), 56)
  footer.writeUInt8(heads, 58)
  footer.writeUInt8(sectors, 59)
}
