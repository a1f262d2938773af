/**
 * What can be told of CRC-64/NVME sums without the bytes.
 *
 * Without its initial value and its final inversion a CRC is linear: the *raw* sum of two overlaid messages is the XOR of
 * theirs, zeros in front change nothing, and zeros behind multiply it by a power of x. So sums of pieces become the sum of a
 * chunk, and what changed in a chunk changes its sum. 32-bit halves, because BigInt is a hundred times slower.
 */

/** 64 bits. Of a polynomial over GF(2), reflected: the highest bit of `high` is the coefficient of x^0. */
export interface Word64 {
  readonly high: number
  readonly low: number
}

export const ZERO: Word64 = { high: 0, low: 0 }
const ONE: Word64 = { high: 0x80000000, low: 0 }
/** 0xad93d23594c93659 reflected: the polynomial of `x-ms-content-crc64`. */
const POLYNOMIAL: Word64 = { high: 0x9a6c9329, low: 0xac4bc9b5 }

export function xor(a: Word64, b: Word64): Word64 {
  return { high: (a.high ^ b.high) >>> 0, low: (a.low ^ b.low) >>> 0 }
}

export function isSame(a: Word64, b: Word64): boolean {
  return a.high === b.high && a.low === b.low
}

/** The raw sum of the message with so many zero bytes behind it. */
export function appendZeros(raw: Word64, lengthBytes: number): Word64 {
  return raw.high === 0 && raw.low === 0 ? ZERO : multiply(raw, powerOfBytes(lengthBytes))
}

/** The checksum as the service tells it, of a message of this length and raw sum. */
export function checksumOf(raw: Word64, lengthBytes: number): Word64 {
  return xor(raw, zerosChecksum(lengthBytes))
}

/** The raw sum behind a checksum. */
export function rawOf(checksum: Word64, lengthBytes: number): Word64 {
  return xor(checksum, zerosChecksum(lengthBytes))
}

/** The checksum of so many zero bytes: all that the initial value and the inversion add. */
export function zerosChecksum(lengthBytes: number): Word64 {
  const known = zeros.get(lengthBytes)
  if (known !== undefined) return known
  const { high, low } = multiply({ high: 0xffffffff, low: 0xffffffff }, powerOfBytes(lengthBytes))
  const checksum = { high: ~high >>> 0, low: ~low >>> 0 }
  if (zeros.size < MAX_KNOWN) zeros.set(lengthBytes, checksum)
  return checksum
}

/** Product modulo the polynomial. */
function multiply(a: Word64, b: Word64): Word64 {
  let { high, low } = b
  let productHigh = 0
  let productLow = 0
  for (const half of [a.high, a.low]) {
    for (let bit = 31; bit >= 0; bit--) {
      // A mask instead of a branch: the bits are random, so a branch would be guessed wrong half of the time.
      const isSet = -((half >>> bit) & 1)
      productHigh ^= high & isSet
      productLow ^= low & isSet
      const isOdd = -(low & 1)
      low = ((low >>> 1) | (high << 31)) ^ (POLYNOMIAL.low & isOdd)
      high = (high >>> 1) ^ (POLYNOMIAL.high & isOdd)
    }
  }
  return { high: productHigh >>> 0, low: productLow >>> 0 }
}

/** Lengths are mostly whole pages below 4 MiB, of which there are 8,192. */
const MAX_KNOWN = 16_384
const zeros = new Map<number, Word64>()
const powers = new Map<number, Word64>()
/** x^(8 * 2^n) at place n. */
const doublings: Word64[] = [{ high: 0x00800000, low: 0 }]

/** x^(8 * lengthBytes). */
function powerOfBytes(lengthBytes: number): Word64 {
  const known = powers.get(lengthBytes)
  if (known !== undefined) return known
  let power = ONE
  for (let rest = lengthBytes, place = 0; rest > 0; rest = Math.floor(rest / 2), place++) {
    const last = doublings.at(-1)!
    if (place === doublings.length) doublings.push(multiply(last, last))
    if (rest % 2 === 1) power = multiply(power, doublings[place]!)
  }
  if (powers.size < MAX_KNOWN) powers.set(lengthBytes, power)
  return power
}
