import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { crc64, decodeChecksum, rawCrc64 } from '../../azure/crc64.ts'
import { appendZeros, checksumOf, rawOf, xor, ZERO, zerosChecksum, type Word64 } from '../../domain/crc64-algebra.ts'
import { concatenate, encodeChecksum } from '../support/checksums.ts'

const checksum = (data: Uint8Array): Word64 => decodeChecksum(crc64(data))!
const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength, size: 'max' })

test('a checksum and its eight bytes are the same', () => {
  fc.assert(fc.property(bytes(64), (data) => expect(encodeChecksum(checksum(data)).equals(crc64(data))).toBe(true)))
})

test('the sum of two messages, one behind the other, follows from theirs', () => {
  fc.assert(
    fc.property(bytes(700), bytes(700), (one, other) => {
      expect(concatenate(checksum(one), checksum(other), other.length)).toEqual(checksum(Buffer.concat([one, other])))
    }),
  )
})

test('the raw sum of two overlaid messages is the XOR of theirs', () => {
  fc.assert(
    fc.property(bytes(700), (one) => {
      const other = Uint8Array.from(one, (byte, index) => (byte * 31 + index) & 0xff)
      const overlaid = one.map((byte, index) => byte ^ other[index]!)
      expect(xor(rawCrc64(one), rawCrc64(other))).toEqual(rawCrc64(overlaid))
    }),
  )
})

test('zeros in front change no raw sum, zeros behind change it as told, at any length', () => {
  fc.assert(
    fc.property(bytes(300), fc.integer({ min: 0, max: 3_000_000 }), (data, zeros) => {
      expect(rawCrc64(Buffer.concat([Buffer.alloc(zeros), data]))).toEqual(rawCrc64(data))
      expect(appendZeros(rawCrc64(data), zeros)).toEqual(rawCrc64(Buffer.concat([data, Buffer.alloc(zeros)])))
    }),
    { numRuns: 30 },
  )
})

test('a checksum and its raw sum follow from each other, and zeros have none', () => {
  fc.assert(
    fc.property(bytes(700), (data) => {
      expect(checksumOf(rawCrc64(data), data.length)).toEqual(checksum(data))
      expect(rawOf(checksum(data), data.length)).toEqual(rawCrc64(data))
    }),
  )
  expect(rawCrc64(Buffer.alloc(4096))).toEqual(ZERO)
  for (const length of [0, 1, 512, 4 * 1024 * 1024]) expect(zerosChecksum(length)).toEqual(checksum(Buffer.alloc(length)))
})
