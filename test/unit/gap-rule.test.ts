import { describe, expect, test } from '@jest/globals'
import { secondsAtLimit } from '../../domain/blob-budget.ts'
import { KIB, MIB } from '../../domain/byte-range.ts'
import { chooseGapRule, isBoundByRequests, isWorthFilling, LARGEST_GAP_BYTES } from '../../domain/gap-rule.ts'

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

describe('the rule', () => {
  test('is none where there is no gap to fill', () => expect(chooseGapRule(scattered, new Map())).toBeUndefined())

  test('takes small gaps before large ones, and of the largest so many that both budgets are drawn on evenly', () => {
    const gaps = new Map([[120 * KIB, 30_000], [4 * KIB, 30_000], [40 * KIB, 30_000]])
    const rule = chooseGapRule(scattered, gaps)!
    expect(rule.maxBytes).toBe(120 * KIB)
    const filled = rule.shareOfLongest * 30_000
    const bytes = scattered.changedBytes + 30_000 * 44 * KIB + filled * 120 * KIB
    expect(secondsAtLimit(bytes, 0) / secondsAtLimit(0, 40_000 - filled)).toBeCloseTo(1, 2)
  })

  test('is none where one gap more would already make bytes bind', () => {
    expect(chooseGapRule({ changedBytes: 6_000 * 125_824, ranges: 6_000 }, new Map([[120 * KIB, 5_999]]))).toBeUndefined()
  })
})

describe('a gap', () => {
  const gapAt = (startBytes: number, lengthBytes: number) => ({ startBytes, endBytes: startBytes + lengthBytes })
  const rule = { maxBytes: 8 * KIB, shareOfLongest: 0.3 }

  test('is filled where it is shorter than the longest, never where it is longer', () => {
    for (let index = 0; index < 100; index++) {
      expect(isWorthFilling(gapAt(index * MIB, 8 * KIB - 512), rule)).toBe(true)
      expect(isWorthFilling(gapAt(index * MIB, 8 * KIB + 512), rule)).toBe(false)
    }
  })

  test.each([512, 4 * KIB, 12 * KIB, 64 * KIB, MIB, 3 * MIB])('of the longest, one in every %d bytes, is filled as often as the share says', (strideBytes) => {
    const count = 20_000
    let filled = 0
    for (let index = 0; index < count; index++) if (isWorthFilling(gapAt(index * strideBytes, 8 * KIB), rule)) filled += 1
    expect(filled / count).toBeGreaterThan(0.28)
    expect(filled / count).toBeLessThan(0.32)
  })
})
