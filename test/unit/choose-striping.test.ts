import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { GIB, MIB, TIB } from '../../domain/byte-range.ts'
import { chooseStriping, MAX_DISK_BYTES, MAX_STRIPES, type StripingWish } from '../../domain/choose-striping.ts'
import { blobBytesOf } from '../../domain/source-disk.ts'
import { MAX_STRIPE_BYTES, ONE_STRIPE, stripeSizes, stripingOf } from '../../domain/stripes.ts'

const four = stripingOf(4)

describe('a disk is dealt out', () => {
  const cases: [string, number, StripingWish, number][] = [
    ['over one stripe, as long as it fits', 8191, {}, 1],
    ['over five, where it does not', 8192, {}, 5],
    ['over as many as were asked for', 64, { asked: 4 }, 4],
    ['as it is, where nothing was asked for', 64, { present: four }, 4],
    ['over one again, where that was asked for', 64, { asked: 1, present: four }, 1],
    ['over more than was asked for, where so few cannot hold it', 20_000, { asked: 2 }, 5],
    ['over more than it is, once it has outgrown that', 9000, { present: ONE_STRIPE }, 5],
    ['over enough, for the largest', 32_767, {}, 5],
  ]
  test.each(cases)('%s', (_claim, gib, wish, count) => {
    expect(chooseStriping(blobBytesOf(gib * GIB), wish).count).toBe(count)
  })

  test('in the unit that it has', () => {
    const present = { count: 4, unitBytes: 64 * MIB }
    expect(chooseStriping(TIB, { asked: 4, present })).toEqual(present)
  })

  test('so that every stripe fits into a page blob, whatever is asked for', () => {
    const gib = fc.integer({ min: 1, max: MAX_DISK_BYTES / GIB })
    const asked = fc.option(fc.integer({ min: 1, max: MAX_STRIPES }), { nil: undefined })
    const present = fc.option(fc.integer({ min: 1, max: MAX_STRIPES }).map(stripingOf), { nil: undefined })
    fc.assert(
      fc.property(gib, asked, present, (size, count, striping) => {
        const blobBytes = blobBytesOf(size * GIB)
        const sizes = stripeSizes(chooseStriping(blobBytes, { asked: count, present: striping }), blobBytes)
        expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_STRIPE_BYTES)
      }),
    )
  })
})
