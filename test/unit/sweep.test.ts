import { MOST_OF_A_BATCH } from '../../domain/batches.ts'
import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { ByteRange } from '../../domain/byte-range.ts'
import { sweep } from '../../domain/sweep.ts'
import { collect, pagesOf, sortedRanges } from './support/arbitraries.ts'

const r = (startBytes: number, endBytes: number): ByteRange => ({ startBytes, endBytes })

/** A list that tells whether its owner was let go. */
function watched(ranges: readonly ByteRange[]) {
  const seen = { isClosed: false }
  async function* list(): AsyncGenerator<ByteRange> {
    try {
      yield* ranges
    } finally {
      seen.isClosed = true
    }
  }
  return { seen, list: list() }
}

test('the segments of two lists are cut at every border of either', async () => {
  const a = [r(0, 10), r(20, 30)]
  const b = [r(5, 25)]
  const found = await collect(sweep({ a, b }))
  expect(found).toEqual([
    { startBytes: 0, endBytes: 5, at: { a: a[0] } },
    { startBytes: 5, endBytes: 10, at: { a: a[0], b: b[0] } },
    { startBytes: 10, endBytes: 20, at: { b: b[0] } },
    { startBytes: 20, endBytes: 25, at: { a: a[1], b: b[0] } },
    { startBytes: 25, endBytes: 30, at: { a: a[1] } },
  ])
})

test('every page lies in one segment, which names just the items that cover it', async () => {
  await fc.assert(
    fc.asyncProperty(sortedRanges, sortedRanges, sortedRanges, async (a, b, c) => {
      const lists = { a, b, c }
      const segments = await collect(sweep(lists))
      for (const [index, segment] of segments.entries()) {
        expect(segment.startBytes).toBeGreaterThanOrEqual(segments[index - 1]?.endBytes ?? 0)
        expect(segment.endBytes).toBeGreaterThan(segment.startBytes)
      }
      for (const name of ['a', 'b', 'c'] as const) {
        expect(pagesOf(segments.filter(({ at }) => at[name] !== undefined))).toEqual(pagesOf(lists[name]))
        for (const { startBytes, endBytes, at } of segments) {
          const item = at[name]
          if (item === undefined) continue
          expect(lists[name]).toContain(item)
          expect(item.startBytes <= startBytes && endBytes <= item.endBytes).toBe(true)
        }
      }
    }),
  )
})

test('lists of a terabyte are held a batch at a time', async () => {
  let pulled = 0
  function* endless(): Generator<ByteRange> {
    for (let startBytes = 0; ; startBytes += 1024) {
      pulled += 1
      yield r(startBytes, startBytes + 512)
    }
  }
  const segments = sweep({ endless: endless() })
  for (let count = 0; count < 3; count++) await segments.next()
  expect(pulled).toBe(MOST_OF_A_BATCH)
  await segments.return(undefined)
})

test('no list and empty lists yield nothing', async () => {
  expect(await collect(sweep({}))).toEqual([])
  expect(await collect(sweep({ a: [], b: [] }))).toEqual([])
})

describe('lists are closed', () => {
  test('when the reader stops early', async () => {
    const a = watched([r(0, 10), r(10, 20)])
    const b = watched([r(0, 5)])
    for await (const _segment of sweep({ a: a.list, b: b.list })) break
    expect([a.seen.isClosed, b.seen.isClosed]).toEqual([true, true])
  })

  test('when one of them fails', async () => {
    async function* failing(): AsyncGenerator<ByteRange> {
      yield r(0, 10)
      throw new Error('listing broke')
    }
    const other = watched([r(0, 5), r(15, 20)])
    await expect(collect(sweep({ other: other.list, failing: failing() }))).rejects.toThrow('listing broke')
    expect(other.seen.isClosed).toBe(true)
  })
})

test.each<[string, ByteRange[]]>([
  ['out of order', [r(10, 20), r(0, 5)]],
  ['overlapping', [r(0, 10), r(5, 15)]],
  ['repeated', [r(0, 10), r(0, 10)]],
  ['with an empty range', [r(4, 4)]],
  ['with a range turned round', [r(8, 4)]],
])('a list %s is an error that names it, not a wrong answer', async (_fault, pages) => {
  const sweeping = collect(sweep({ pages, other: [r(0, 100)] }))
  await expect(sweeping).rejects.toThrow(RangeError)
  await expect(sweeping).rejects.toThrow('list pages is not sorted')
})
