import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import {
  clip,
  coarsen,
  cut,
  describeRanges,
  lengthOf,
  normalize,
  PAGE_BYTES,
  totalBytes,
  type ByteRange,
} from '../../domain/byte-range.ts'
import { anyRange, pagesOf, sortedRanges } from './support/arbitraries.ts'

const r = (startBytes: number, endBytes: number): ByteRange => ({ startBytes, endBytes })

describe('normalize', () => {
  test.each<[string, ByteRange[], ByteRange[]]>([
    ['nothing stays nothing', [], []],
    ['empty ranges vanish', [r(5, 5)], []],
    ['ranges that touch are one', [r(0, 4), r(4, 8)], [r(0, 8)]],
    ['ranges that overlap are one', [r(3, 8), r(0, 4)], [r(0, 8)]],
    ['a nested range does not shorten its host', [r(0, 10), r(2, 4)], [r(0, 10)]],
    ['a gap of one byte is kept', [r(5, 8), r(0, 4)], [r(0, 4), r(5, 8)]],
  ])('%s', (_claim, ranges, expected) => {
    expect(normalize(ranges)).toEqual(expected)
  })

  test('covers exactly what was given, sorted and with a gap between any two', () => {
    fc.assert(
      fc.property(fc.array(anyRange), (ranges) => {
        const canonical = normalize(ranges)
        expect(pagesOf(canonical)).toEqual(pagesOf(ranges))
        for (const [index, range] of canonical.entries()) {
          expect(range.startBytes).toBeGreaterThan(canonical[index - 1]?.endBytes ?? -1)
          expect(lengthOf(range)).toBeGreaterThan(0)
        }
        expect(normalize(canonical)).toEqual(canonical)
      }),
    )
  })

  test('changes nothing of its input', () => {
    const ranges = [r(8, 12), r(0, 9)]
    normalize(ranges)
    expect(ranges).toEqual([r(8, 12), r(0, 9)])
  })
})

describe('coarsen', () => {
  test('fills the smallest gaps first', () => {
    expect(coarsen([r(0, 1), r(2, 3), r(10, 11), r(14, 15), r(40, 41)], 3)).toEqual([r(0, 3), r(10, 15), r(40, 41)])
  })

  test('leaves a list alone that is short enough', () => {
    expect(coarsen([r(0, 1), r(2, 3)], 2)).toEqual([r(0, 1), r(2, 3)])
  })

  test('is a cover of at most N ranges that could not be smaller', () => {
    fc.assert(
      fc.property(sortedRanges, fc.integer({ min: 1, max: 12 }), (ranges, maxCount) => {
        const exact = normalize(ranges)
        const cover = coarsen(ranges, maxCount)
        expect(cover.length).toBeLessThanOrEqual(maxCount)
        expect(normalize(cover)).toEqual(cover)
        const covered = pagesOf(cover)
        for (const page of pagesOf(ranges)) expect(covered.has(page)).toBe(true)

        const gaps = exact.slice(1).map((range, index) => range.startBytes - exact[index]!.endBytes)
        const smallest = gaps.sort((a, b) => a - b).slice(0, Math.max(0, exact.length - maxCount))
        expect(totalBytes(cover)).toBe(totalBytes(exact) + smallest.reduce((sum, gap) => sum + gap, 0))
      }),
    )
  })
})

describe('cut', () => {
  test('the pieces are the range, in order, each of at most the given length and only the last one shorter', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1000), fc.integer({ min: 1, max: 300 }), (startBytes, length, maxBytes) => {
        const pieces = [...cut(r(startBytes, startBytes + length), maxBytes)]
        expect(normalize(pieces)).toEqual(length === 0 ? [] : [r(startBytes, startBytes + length)])
        expect(totalBytes(pieces)).toBe(length)
        for (const piece of pieces.slice(0, -1)) expect(lengthOf(piece)).toBe(maxBytes)
        for (const piece of pieces.slice(-1)) expect(lengthOf(piece)).toBeLessThanOrEqual(maxBytes)
      }),
    )
  })
})

describe('clip', () => {
  test.each<[string, ByteRange, ByteRange | undefined]>([
    ['inside', r(12, 14), r(12, 14)],
    ['over the start', r(5, 12), r(10, 12)],
    ['over the end', r(18, 25), r(18, 20)],
    ['around', r(0, 30), r(10, 20)],
    ['touching before', r(5, 10), undefined],
    ['touching behind', r(20, 25), undefined],
    ['empty', r(15, 15), undefined],
  ])('%s the window', (_where, range, expected) => {
    expect(clip(range, r(10, 20))).toEqual(expected)
  })
})

test('a message shows the first ranges and counts the rest', () => {
  expect(describeRanges([])).toBe('')
  expect(describeRanges([r(0, PAGE_BYTES)])).toBe('[0, 512)')
  expect(describeRanges([r(0, 1), r(2, 3), r(4, 5)], 2)).toBe('[0, 1) [2, 3) and 1 more')
})
