/**
 * CRC-64/NVME: what the storage service means by `x-ms-content-crc64` (reflected polynomial 0x9a6c9329ac4bc9b5, as in
 * Azurite's `src/common/utils/utils.ts`).
 */
import type { Word64 } from '../domain/crc64-algebra.ts'
import { continueSum } from './crc64-kernel.ts'

const ALL_ONES = 0xffffffffffffffffn

/** The checksum as the service's headers carry it before base64: eight bytes, least significant first. */
export function crc64(data: Uint8Array): Buffer {
  const sum = Buffer.allocUnsafe(8)
  sum.writeBigUInt64LE(continueSum(ALL_ONES, data) ^ ALL_ONES, 0)
  return sum
}

/** Without initial value and inversion: what `domain/crc64-algebra.ts` reckons with. */
export function rawCrc64(data: Uint8Array): Word64 {
  const sum = continueSum(0n, data)
  return { high: Number(sum >> 32n), low: Number(sum & 0xffffffffn) }
}

/** @returns undefined for anything but eight bytes. */
export function decodeChecksum(sum: Uint8Array | undefined): Word64 | undefined {
  if (sum?.length !== 8) return undefined
  const view = new DataView(sum.buffer, sum.byteOffset, 8)
  return { low: view.getUint32(0, true), high: view.getUint32(4, true) }
}
