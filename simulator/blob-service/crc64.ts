/**
 * CRC-64/NVME, the checksum of `x-ms-content-crc64`: reflected polynomial 0x9a6c9329ac4bc9b5, start and final
 * complement. On the wire it is the little-endian eight bytes in base64.
 *
 * JavaScript has no fast 64-bit integers, so the register is two 32-bit halves, and eight tables take eight bytes a
 * step: about 700 MiB/s.
 */

const POLYNOMIAL_HIGH = 0x9a6c9329
const POLYNOMIAL_LOW = 0xac4bc9b5
const SLICES = 8

const { low: LOW, high: HIGH } = createTables()

/** The eight bytes in wire order, in base64. */
export function crc64Base64(data: Buffer): string {
  let low = -1
  let high = -1
  const stepped = data.length & ~7
  // A view of 32-bit words needs an aligned start; small buffers from Node's pool may lack it.
  const aligned = data.byteOffset % 4 === 0 ? data : Buffer.from(new Uint8Array(data).buffer)
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, stepped >> 2)
  for (let index = 0; index < words.length; index += 2) {
    const a = low ^ (words[index] as number)
    const b = high ^ (words[index + 1] as number)
    low =
      LOW[1792 + (a & 255)]! ^
      LOW[1536 + ((a >>> 8) & 255)]! ^
      LOW[1280 + ((a >>> 16) & 255)]! ^
      LOW[1024 + (a >>> 24)]! ^
      LOW[768 + (b & 255)]! ^
      LOW[512 + ((b >>> 8) & 255)]! ^
      LOW[256 + ((b >>> 16) & 255)]! ^
      LOW[b >>> 24]!
    high =
      HIGH[1792 + (a & 255)]! ^
      HIGH[1536 + ((a >>> 8) & 255)]! ^
      HIGH[1280 + ((a >>> 16) & 255)]! ^
      HIGH[1024 + (a >>> 24)]! ^
      HIGH[768 + (b & 255)]! ^
      HIGH[512 + ((b >>> 8) & 255)]! ^
      HIGH[256 + ((b >>> 16) & 255)]! ^
      HIGH[b >>> 24]!
  }
  for (let index = stepped; index < data.length; index += 1) {
    const slot = (low ^ data[index]!) & 255
    low = ((low >>> 8) | (high << 24)) ^ LOW[slot]!
    high = (high >>> 8) ^ HIGH[slot]!
  }
  const wire = Buffer.alloc(8)
  wire.writeInt32LE(~low, 0)
  wire.writeInt32LE(~high, 4)
  return wire.toString('base64')
}

/** Table n, at 256·n, takes a byte that stands n bytes before the end of the step. */
function createTables(): { low: Int32Array; high: Int32Array } {
  const low = new Int32Array(256 * SLICES)
  const high = new Int32Array(256 * SLICES)
  for (let byte = 0; byte < 256; byte += 1) {
    let l = byte
    let h = 0
    for (let bit = 0; bit < 8; bit += 1) {
      const carry = l & 1
      l = (l >>> 1) | (h << 31)
      h >>>= 1
      if (carry === 1) {
        l ^= POLYNOMIAL_LOW
        h ^= POLYNOMIAL_HIGH
      }
    }
    low[byte] = l
    high[byte] = h
  }
  for (let index = 256; index < 256 * SLICES; index += 1) {
    const l = low[index - 256]!
    const h = high[index - 256]!
    low[index] = ((l >>> 8) | (h << 24)) ^ low[l & 255]!
    high[index] = (h >>> 8) ^ high[l & 255]!
  }
  return { low, high }
}
