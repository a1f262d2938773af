import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { GIB, lengthOf, MIB, TIB } from '../../domain/byte-range.ts'
import { cutIntoExtents } from '../../domain/extents.ts'
import { blobBytesOf, VHD_FOOTER_BYTES } from '../../domain/source-disk.ts'

const MAX_DISK_GIB = 32 * 1024

const anyBlobBytes = fc.oneof(
  fc.integer({ min: 1, max: MAX_DISK_GIB }).map((gib) => blobBytesOf(gib * GIB)),
  fc.integer({ min: 1, max: (MAX_DISK_GIB * GIB) / MIB }).map((mib) => blobBytesOf(mib * MIB)),
)

test('extents cover the blob exactly, in order, and are at most 32', () => {
  fc.assert(
    fc.property(anyBlobBytes, (sizeBytes) => {
      const extents = cutIntoExtents(sizeBytes)
      expect(extents.length).toBeGreaterThan(0)
      expect(extents.length).toBeLessThanOrEqual(32)
      let endBytes = 0
      for (const [index, extent] of extents.entries()) {
        expect(extent).toMatchObject({ index, count: extents.length, startBytes: endBytes })
        expect(extent.startBytes % GIB).toBe(0)
        endBytes = extent.endBytes
      }
      expect(endBytes).toBe(sizeBytes)
    }),
  )
})

test('the footer is never an extent of its own', () => {
  fc.assert(
    fc.property(anyBlobBytes, (sizeBytes) => {
      expect(lengthOf(cutIntoExtents(sizeBytes).at(-1)!)).toBeGreaterThan(VHD_FOOTER_BYTES)
    }),
  )
})

describe('the number of extents', () => {
  test.each([
    ['one for the smallest disk', 4 * MIB, 1],
    ['one up to 64 GiB', 64 * GIB, 1],
    ['two for 128 GiB', 128 * GIB, 2],
    ['16 for 1 TiB', TIB, 16],
    ['32 for 2 TiB', 2 * TIB, 32],
    ['32 for the largest disk that a page blob holds', 8191 * GIB, 32],
    ['at most 32 for 32 TiB', 32 * TIB, 32],
  ])('is %s', (_claim, diskBytes, expected) => {
    expect(cutIntoExtents(blobBytesOf(diskBytes))).toHaveLength(expected)
  })
})
