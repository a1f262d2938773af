/** What tests reckon with checksums beside what the product does. */
import { appendZeros, xor, type Word64 } from '../../domain/crc64-algebra.ts'

/** The checksum of two messages, one behind the other, from theirs. */
export function concatenate(first: Word64, second: Word64, secondLengthBytes: number): Word64 {
  return xor(appendZeros(first, secondLengthBytes), second)
}

/** The eight bytes that `decodeChecksum` reads. */
export function encodeChecksum({ high, low }: Word64): Buffer {
  const sum = Buffer.allocUnsafe(8)
  sum.writeUInt32LE(low, 0)
  sum.writeUInt32LE(high, 4)
  return sum
}
