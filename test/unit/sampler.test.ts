import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { lengthOf, PAGE_BYTES, type ByteRange } from '../../domain/byte-range.ts'
import { createSampler, seededRandom } from '../../domain/sampler.ts'
import { sortedRanges } from './support/arbitraries.ts'

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 })

function sample(ranges: readonly ByteRange[], size: number, chunkBytes: number, seed: number): ByteRange[] {
  const sampler = createSampler(size, chunkBytes, seededRandom(seed))
  for (const range of ranges) sampler.offer(range)
  return sampler.chunks()
}

const rangesOf = (count: number, pages = 1): ByteRange[] =>
  Array.from({ length: count }, (_, index) => ({
    startBytes: index * 100 * PAGE_BYTES,
    endBytes: (index * 100 + pages) * PAGE_BYTES,
  }))

test('a sample has the asked size, or one chunk of each range where there are fewer', () => {
  fc.assert(
    fc.property(sortedRanges, fc.nat(6), seeds, (ranges, size, seed) => {
      expect(sample(ranges, size, PAGE_BYTES, seed)).toHaveLength(Math.min(size, ranges.length))
    }),
  )
})

test('each chunk is whole pages within a range that was offered, sorted, and no range is taken twice', () => {
  fc.assert(
    fc.property(
      sortedRanges,
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 3 }),
      seeds,
      (ranges, size, pages, seed) => {
        const chunks = sample(ranges, size, pages * PAGE_BYTES, seed)
        const hosts = chunks.map((chunk) =>
          ranges.findIndex(({ startBytes, endBytes }) => startBytes <= chunk.startBytes && chunk.endBytes <= endBytes),
        )
        expect(hosts).not.toContain(-1)
        expect(hosts).toEqual([...new Set(hosts)].sort((a, b) => a - b))
        for (const [index, chunk] of chunks.entries()) {
          expect(chunk.startBytes % PAGE_BYTES).toBe(0)
          expect(lengthOf(chunk)).toBe(Math.min(pages * PAGE_BYTES, lengthOf(ranges[hosts[index]!]!)))
        }
      },
    ),
  )
})

test('the same seed takes the same sample, another seed another one', () => {
  const ranges = rangesOf(200, 50)
  expect(sample(ranges, 16, PAGE_BYTES, 7)).toEqual(sample(ranges, 16, PAGE_BYTES, 7))
  expect(sample(ranges, 16, PAGE_BYTES, 8)).not.toEqual(sample(ranges, 16, PAGE_BYTES, 7))
})

describe('over many seeds', () => {
  const SEEDS = 4000

  test('each range is taken about as often as any other', () => {
    const ranges = rangesOf(20)
    const taken = new Map<number, number>(ranges.map(({ startBytes }) => [startBytes, 0]))
    for (let seed = 0; seed < SEEDS; seed++) {
      for (const { startBytes } of sample(ranges, 5, PAGE_BYTES, seed))
        taken.set(startBytes, taken.get(startBytes)! + 1)
    }
    // A quarter each: 1000 of 4000, with a standard deviation of 27.
    for (const count of taken.values()) expect(Math.abs(count - 1000)).toBeLessThan(140)
  })

  test('each place within a long range is taken about as often as any other, its ends too', () => {
    const taken = Array.from({ length: 8 }, () => 0)
    for (let seed = 0; seed < SEEDS; seed++) {
      const [chunk] = sample([{ startBytes: 0, endBytes: 10 * PAGE_BYTES }], 1, 3 * PAGE_BYTES, seed)
      const page = chunk!.startBytes / PAGE_BYTES
      taken[page] = taken[page]! + 1
    }
    for (const count of taken) expect(Math.abs(count - SEEDS / 8)).toBeLessThan(110)
  })
})

test('a random number is at least 0, less than 1 and fixed by its seed', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const [random, again] = [seededRandom(seed), seededRandom(seed)]
      for (let count = 0; count < 20; count++) {
        const value = random()
        expect(value).toBeGreaterThanOrEqual(0)
        expect(value).toBeLessThan(1)
        expect(again()).toBe(value)
      }
    }),
  )
})
