import { describe, expect, test } from '@jest/globals'
import { createVhdFooter, diskGeometry, hasVhdCookie, vhdChecksum } from '../../simulator/compute/vhd-footer.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3

describe('geometry', () => {
  // Worked by hand from the appendix of the specification; 127 GiB is the default disk of Hyper-V.
  const cases: ReadonlyArray<[string, number, [number, number, number]]> = [
    ['20 MiB has four heads at least', 20 * MIB, [602, 4, 17]],
    ['200 MiB needs 31 sectors a track', 200 * MIB, [825, 16, 31]],
    ['1 GiB needs 63 sectors a track', GIB, [2080, 16, 63]],
    ['127 GiB needs 255 sectors a track', 127 * GIB, [65278, 16, 255]],
    ['128 GiB and more have the largest geometry there is', 128 * GIB, [65535, 16, 255]],
    ['32 TiB too', 32 * 1024 * GIB, [65535, 16, 255]],
  ]
  test.each(cases)('%s', (_title, sizeBytes, [cylinders, heads, sectorsPerTrack]) => {
    expect(diskGeometry(sizeBytes)).toEqual({ cylinders, heads, sectorsPerTrack })
  })
})

describe('footer', () => {
  const footer = createVhdFooter({
    diskSizeBytes: GIB,
    createdAt: new Date('2000-01-01T00:00:10Z'),
    uniqueId: '00112233-4455-6677-8899-aabbccddeeff',
  })

  test('every byte is where the specification has it', () => {
    const expected = [
      '636f6e6563746978', // cookie: conectix
      '00000002', // features
      '00010000', // file format version
      'ffffffffffffffff', // data offset
      '0000000a', // time stamp: ten seconds
      '77610000', // creator application
      '00070000', // creator version
      '5769326b', // creator host: Wi2k
      '0000000040000000', // original size
      '0000000040000000', // current size
      '0820103f', // geometry: 2080 cylinders, 16 heads, 63 sectors
      '00000002', // fixed disk
      'CHECKSUM',
      '00112233445566778899aabbccddeeff',
    ].join('')
    const [beforeChecksum = '', afterChecksum = ''] = expected.split('CHECKSUM')
    expect(footer.toString('hex', 0, 64)).toBe(beforeChecksum)
    expect(footer.toString('hex', 68, 84)).toBe(afterChecksum)
    expect(footer.subarray(84).every((byte) => byte === 0)).toBe(true)
    expect(footer.length).toBe(512)
  })

  test('the checksum is the complement of the sum of all other bytes', () => {
    // The bytes written out above add up to 0x168f.
    expect(footer.readUInt32BE(64)).toBe(0xffffffff - 0x168f)
    expect(vhdChecksum(footer)).toBe(footer.readUInt32BE(64))
  })

  test('only a footer with the cookie passes', () => {
    expect(hasVhdCookie(footer)).toBe(true)
    expect(hasVhdCookie(Buffer.alloc(512))).toBe(false)
  })
})
