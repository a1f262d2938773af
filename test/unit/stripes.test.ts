import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { GIB, lengthOf, MAX_WRITE_BYTES, normalize, PAGE_BYTES, TIB, totalBytes, type ByteRange } from '../../domain/byte-range.ts'
import { mergeStripes } from '../../domain/merge-stripes.ts'
import {
  diskOffsetOf,
  ONE_STRIPE,
  partInStripe,
  STRIPE_UNIT_BYTES,
  stripeAt,
  stripeSizes,
  type Striping,
} from '../../domain/stripes.ts'
import { anyRange, collect, pagesOf, PAGES, sortedRanges } from './support/arbitraries.ts'

/** Units of a few pages, so that every range meets several. */
const anyStriping: fc.Arbitrary<Striping> = fc.record({
  count: fc.integer({ min: 1, max: 5 }),
  unitBytes: fc.integer({ min: 1, max: 4 }).map((pages) => pages * PAGE_BYTES),
})
const anySize = fc.nat(PAGES).map((pages) => pages * PAGE_BYTES)
const r = (startBytes: number, endBytes: number): ByteRange => ({ startBytes, endBytes })
const stripesOf = ({ count }: Striping): number[] => Array.from({ length: count }, (_, stripe) => stripe)

/** By the definition alone: units in turn. */
function placeOf({ count, unitBytes }: Striping, offsetBytes: number): { stripe: number; offsetBytes: number } {
  const unit = Math.floor(offsetBytes / unitBytes)
  return { stripe: unit % count, offsetBytes: Math.floor(unit / count) * unitBytes + (offsetBytes % unitBytes) }
}

async function* listed<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items
}

test('units go to the stripes in turn, and the end of the disk lies in the stripe whose turn it is', () => {
  const striping = { count: 3, unitBytes: 16 }
  expect([0, 15, 16, 47, 48].map((offset) => stripeAt(striping, offset))).toEqual([0, 0, 1, 2, 0])
  expect(partInStripe(striping, 0, r(10, 60))).toEqual(r(10, 28))
  expect(partInStripe(striping, 1, r(10, 60))).toEqual(r(0, 16))
  expect(partInStripe(striping, 2, r(0, 32))).toBeUndefined()
  expect(stripeSizes(striping, 4 * 16 + 2)).toEqual([32, 18, 16])
})

describe('whatever the number of stripes and the unit', () => {
  test('every page of the disk has one place, and each place one page', () => {
    fc.assert(
      fc.property(anyStriping, anySize, (striping, blobBytes) => {
        const sizes = stripeSizes(striping, blobBytes)
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(blobBytes)
        const places = new Set<string>()
        for (let offsetBytes = 0; offsetBytes < blobBytes; offsetBytes += PAGE_BYTES) {
          const place = placeOf(striping, offsetBytes)
          places.add(`${place.stripe} ${place.offsetBytes}`)
          expect(stripeAt(striping, offsetBytes)).toBe(place.stripe)
          expect(diskOffsetOf(striping, place.stripe, place.offsetBytes)).toBe(offsetBytes)
          expect(place.offsetBytes).toBeLessThan(sizes[place.stripe]!)
        }
        expect(places.size).toBe(blobBytes / PAGE_BYTES)
      }),
    )
  })

  test('a range of the disk is one range of each stripe, and all its pages are there', () => {
    fc.assert(
      fc.property(anyStriping, anyRange, (striping, range) => {
        for (const stripe of stripesOf(striping)) {
          const part = partInStripe(striping, stripe, range)
          const wanted = [...pagesOf([range])]
            .map((page) => placeOf(striping, page * PAGE_BYTES))
            .filter((place) => place.stripe === stripe)
            .map(({ offsetBytes }) => offsetBytes / PAGE_BYTES)
          expect([...pagesOf(part === undefined ? [] : [part])]).toEqual(wanted)
        }
      }),
    )
  })

  test('the lists of the stripes make the list of the disk: sorted, disjoint, the same pages', async () => {
    await fc.assert(
      fc.asyncProperty(anyStriping, sortedRanges, async (striping, ranges) => {
        const lists = stripesOf(striping).map((stripe) => {
          const parts = ranges.map((range) => partInStripe(striping, stripe, range)).filter((part) => part !== undefined)
          // As a service lists them: what touches in the blob is one range there.
          return listed(normalize(parts))
        })
        const merged = await collect(mergeStripes(striping, lists))
        for (const [index, range] of merged.entries()) {
          expect(range.startBytes).toBeGreaterThanOrEqual(merged[index - 1]?.endBytes ?? 0)
          expect(lengthOf(range)).toBeGreaterThan(0)
        }
        expect(normalize(merged)).toEqual(normalize(ranges))
        expect(totalBytes(merged)).toBe(totalBytes(ranges))
      }),
    )
  })

  test('growing moves nothing', () => {
    fc.assert(
      fc.property(anyStriping, anySize, anySize, (striping, a, b) => {
        const [small, large] = [Math.min(a, b), Math.max(a, b)]
        const sizes = stripeSizes(striping, large)
        for (const [stripe, size] of stripeSizes(striping, small).entries()) expect(size).toBeLessThanOrEqual(sizes[stripe]!)
      }),
    )
  })
})

test('what a range is beside its place goes with each of its pieces', async () => {
  const striping = { count: 2, unitBytes: 4 }
  const lists = [listed([{ kind: 'copy', ...r(2, 6) }]), listed([{ kind: 'clear', ...r(0, 4) }])]
  expect(await collect(mergeStripes(striping, lists))).toEqual([
    { kind: 'copy', ...r(2, 4) },
    { kind: 'clear', ...r(4, 8) },
    { kind: 'copy', ...r(8, 10) },
  ])
})

test('lists of stripes are held one range each, and let go when the merge ends early', async () => {
  let pulled = 0
  let closed = 0
  async function* endless(): AsyncGenerator<ByteRange> {
    try {
      for (let startBytes = 0; ; startBytes += 1024) {
        pulled += 1
        yield r(startBytes, startBytes + 512)
      }
    } finally {
      closed += 1
    }
  }
  const striping = { count: 4, unitBytes: 1024 }
  let seen = 0
  for await (const _range of mergeStripes(striping, [endless(), endless(), endless(), endless()])) if (++seen === 1000) break
  expect(pulled - seen).toBeLessThanOrEqual(4)
  expect(closed).toBe(4)
})

test('one stripe is the disk at the same addresses, and its list is passed on as it is', async () => {
  expect(stripeSizes(ONE_STRIPE, 5 * TIB + 512)).toEqual([5 * TIB + 512])
  expect(partInStripe(ONE_STRIPE, 0, r(3, 9 * GIB))).toEqual(r(3, 9 * GIB))
  const ranges = [r(0, 3 * GIB), r(4 * GIB, 4 * GIB + 512)]
  expect(await collect(mergeStripes(ONE_STRIPE, [listed(ranges)]))).toEqual(ranges)
})

test('a unit holds whole requests, and a GiB whole units', () => {
  expect([STRIPE_UNIT_BYTES % MAX_WRITE_BYTES, GIB % STRIPE_UNIT_BYTES]).toEqual([0, 0])
})
