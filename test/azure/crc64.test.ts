import { describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { crc64, decodeChecksum } from '../../azure/crc64.ts'
import { concatenate } from '../support/checksums.ts'

const POLYNOMIAL = 0x9a6c9329ac4bc9b5n
const MASK = 0xffffffffffffffffn

/** The definition, bit by bit. */
function plainCrc64(data: Uint8Array): bigint {
  let sum = MASK
  for (const byte of data) {
    sum ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit += 1) sum = (sum & 1n) === 1n ? (sum >> 1n) ^ POLYNOMIAL : sum >> 1n
  }
  return sum ^ MASK
}

describe('crc64', () => {
  test('has the published check value of CRC-64/NVME', () => {
    expect(crc64(Buffer.from('123456789')).readBigUInt64LE()).toBe(0xae8b14860a799888n)
  })

  test('is the sum of its definition for every length up to three steps of sixteen bytes', () => {
    const data = randomBytes(49)
    for (let length = 0; length <= data.length; length += 1) {
      const part = data.subarray(0, length)
      expect([data.toString('hex'), length, crc64(part).readBigUInt64LE()]).toEqual([
        data.toString('hex'),
        length,
        plainCrc64(part),
      ])
    }
  })

  test('is the same for a long message as for its parts, wherever it is cut', () => {
    const data = randomBytes(3 * 1024 * 1024 + 77)
    for (const at of [1, 15, 16, 1024 * 1024, 1024 * 1024 + 9, data.length]) {
      const [head, tail] = [data.subarray(0, at), data.subarray(at)]
      expect(concatenate(decodeChecksum(crc64(head))!, decodeChecksum(crc64(tail))!, tail.length)).toEqual(decodeChecksum(crc64(data)))
    }
  })

  test('is the sum of its definition for a whole page', () => {
    const page = randomBytes(512)
    expect(crc64(page).readBigUInt64LE()).toBe(plainCrc64(page))
  })
})
