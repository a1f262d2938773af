import { describe, expect, test } from '@jest/globals'
import { secondsAtLimit } from '../../domain/blob-budget.ts'
import { KIB, MIB } from '../../domain/byte-range.ts'
import { chooseGapLimit, isBoundByRequests, LARGEST_GAP_BYTES } from '../../domain/gap-limit.ts'

const scattered = { changedBytes: 100_000 * 4 * KIB, ranges: 100_000 }

test('a gap of the largest size costs what a request costs', () => {
  expect(LARGEST_GAP_BYTES % 512).toBe(0)
  expect(secondsAtLimit(LARGEST_GAP_BYTES, 0)).toBeLessThanOrEqual(secondsAtLimit(0, 1))
  expect(secondsAtLimit(LARGEST_GAP_BYTES + 512, 0)).toBeGreaterThan(secondsAtLimit(0, 1))
})

describe('gaps are not looked for', () => {
  test.each([
    ['where bytes bind', { changedBytes: 10_000 * MIB, ranges: 10_000 }, false],
    ['where requests are few', { changedBytes: 5_000 * 4 * KIB, ranges: 5_000 }, false],
    ['unless many requests bind', scattered, true],
  ])('%s', (_claim, counts, expected) => expect(isBoundByRequests(counts)).toBe(expected))
})

describe('the limit', () => {
  test('is 0 where there is no gap to fill', () => expect(chooseGapLimit(scattered, new Map())).toBe(0))

  test('takes small gaps before large ones, and stops where bytes would bind', () => {
    const gaps = new Map([[120 * KIB, 30_000], [4 * KIB, 30_000], [40 * KIB, 30_000]])
    expect(chooseGapLimit(scattered, gaps)).toBe(40 * KIB)
    const seconds = secondsAtLimit(scattered.changedBytes + 30_000 * 44 * KIB, 40_000)
    expect(seconds).toBeLessThan(secondsAtLimit(scattered.changedBytes + 30_000 * 4 * KIB, 70_000))
    expect(seconds).toBeLessThan(secondsAtLimit(scattered.changedBytes + 30_000 * 164 * KIB, 10_000))
  })

  test('is 0 where even the smallest gaps would make it slower', () => {
    expect(chooseGapLimit({ changedBytes: 6_000 * 100 * KIB, ranges: 6_000 }, new Map([[120 * KIB, 5_999]]))).toBe(0)
  })
})
