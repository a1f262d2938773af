/** CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), the checksum inside VHDX files. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let register = byte
  for (let bit = 0; bit < 8; bit += 1) register = (register >>> 1) ^ ((register & 1) * 0x82f63b78)
  return register
})

export function crc32c(data: Buffer): number {
  let register = 0xffffffff
  for (const byte of data) register = (register >>> 8) ^ (TABLE[(register ^ byte) & 255] as number)
  return ~register >>> 0
}
