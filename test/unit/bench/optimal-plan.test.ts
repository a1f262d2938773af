import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { optimalPlan, secondsOf } from '../../../bench/optimal-plan.ts'
import { scatteredRanges } from '../../../bench/scattered-ranges.ts'
import { GIB, KIB, MIB, type ByteRange } from '../../../domain/byte-range.ts'

const BUDGETS = { bytesPerSecond: 60 * MIB, requestsPerSecond: 500 }

const changesOf = (lengths: readonly (readonly [gap: number, length: number])[]): ByteRange[] => {
  let endBytes = 0
  return lengths.map(([gap, length]) => {
    const startBytes = endBytes + gap
    endBytes = startBytes + length
    return { startBytes, endBytes }
  })
}

/** Every way of copying gaps along, one by one. */
function* allPlans(changes: readonly ByteRange[]): Generator<ByteRange[]> {
  for (let filled = 0; filled < 2 ** (changes.length - 1); filled++) {
    const runs = [changes[0]!]
    for (const [index, change] of changes.slice(1).entries()) {
      const isFilled = (filled & (1 << index)) !== 0
      const last = runs.at(-1)!
      if (isFilled) runs[runs.length - 1] = { startBytes: last.startBytes, endBytes: change.endBytes }
      else runs.push(change)
    }
    yield runs
  }
}

const smallChanges = (longest: number): fc.Arbitrary<ByteRange[]> =>
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: longest })), { minLength: 1, maxLength: 9 })
    .map((pages) => changesOf(pages.map(([gap, length]) => [gap * 512, length * 512] as const)))

describe('optimalPlan', () => {
  test('takes exactly as long as the best of all ways to copy gaps along, where no request is cut', () => {
    fc.assert(
      fc.property(smallChanges(100), (changes) => {
        const best = Math.min(...[...allPlans(changes)].map((runs) => secondsOf(runs, BUDGETS)))
        expect(optimalPlan(changes, BUDGETS).seconds).toBeCloseTo(best, 12)
      }),
    )
  })

  test('is never beaten, also where requests are cut at 4 MiB', () => {
    fc.assert(
      fc.property(smallChanges(20_000), (changes) => {
        for (const runs of allPlans(changes)) {
          expect(secondsOf(runs, BUDGETS)).toBeGreaterThanOrEqual(optimalPlan(changes, BUDGETS).seconds - 1e-12)
        }
      }),
    )
  })

  test('one change is bound by its bytes alone', () => {
    expect(optimalPlan([{ startBytes: 0, endBytes: 120 * MIB }], BUDGETS)).toEqual({ seconds: 2, requests: 30, movedBytes: 120 * MIB })
  })

  test('changes far apart are bound by requests, and no gap is copied', () => {
    const changes = changesOf(Array.from({ length: 1000 }, () => [10 * MIB, 4 * KIB] as const))
    expect(optimalPlan(changes, BUDGETS)).toEqual({ seconds: 2, requests: 1000, movedBytes: 1000 * 4 * KIB })
  })
})

describe('scatteredRanges', () => {
  const sorted = (ranges: readonly ByteRange[]): boolean =>
    ranges.every((range, index) => index === 0 || range.startBytes > ranges[index - 1]!.endBytes)

  test('gives as many ranges as asked for, sorted, apart and inside, the same ones for a seed', () => {
    const spec = { ranges: 10_000, rangeBytes: 4 * KIB, overBytes: GIB, seed: 7 }
    for (const scatter of [spec, { ...spec, clusters: { bytes: MIB, ranges: 100 } }]) {
      const ranges = scatteredRanges(scatter)
      expect(ranges).toHaveLength(10_000)
      expect(sorted(ranges)).toBe(true)
      expect(ranges.at(-1)!.endBytes).toBeLessThanOrEqual(GIB)
      expect(scatteredRanges(scatter)).toEqual(ranges)
      expect(scatteredRanges({ ...scatter, seed: 8 })).not.toEqual(ranges)
    }
  })

  test('clusters lie closer together than ranges at random', () => {
    const near = (ranges: readonly ByteRange[]): number =>
      ranges.filter(({ startBytes }, index) => index > 0 && startBytes - ranges[index - 1]!.endBytes < 16 * KIB).length
    const spec = { ranges: 10_000, rangeBytes: 4 * KIB, overBytes: 4 * GIB, seed: 7 }
    expect(near(scatteredRanges(spec))).toBeLessThan(1_000)
    expect(near(scatteredRanges({ ...spec, clusters: { bytes: MIB, ranges: 100 } }))).toBeGreaterThan(9_000)
  })

  test('refuses more ranges than there are places', () => {
    expect(() => scatteredRanges({ ranges: 10, rangeBytes: 4 * KIB, overBytes: 64 * KIB, seed: 1 })).toThrow('10 ranges do not fit into 8 places')
  })
})
