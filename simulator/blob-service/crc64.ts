import { createCrc64Kernel } from './crc64-kernel.ts'

/**
 * CRC-64/NVME, the checksum of `x-ms-content-crc64`: reflected polynomial 0x9a6c9329ac4bc9b5, start and final
 * complement. On the wire it is the little-endian eight bytes in base64.
 */

const { window, update } = createCrc64Kernel()

/** The eight bytes in wire order, in base64. */
export function crc64Base64(data: Buffer): string {
  let register = -1n
  for (let start = 0; start < data.length; start += window.length) {
    const piece = data.subarray(start, start + window.length)
    window.set(piece)
    register = update(register, piece.length)
  }
  const wire = Buffer.alloc(8)
  wire.writeBigInt64LE(~register)
  return wire.toString('base64')
}
