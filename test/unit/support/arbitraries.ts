/** Random address spaces for properties. Small ones, so that ranges touch, overlap and nest often. */
import * as fc from 'fast-check'
import { PAGE_BYTES, type ByteRange } from '../../../domain/byte-range.ts'

export const PAGES = 40

/** A page-aligned range, sometimes empty. */
export const anyRange: fc.Arbitrary<ByteRange> = fc
  .tuple(fc.nat(PAGES), fc.nat(8))
  .map(([page, pages]) => ({ startBytes: page * PAGE_BYTES, endBytes: Math.min(page + pages, PAGES) * PAGE_BYTES }))
  .filter(({ startBytes, endBytes }) => startBytes <= endBytes)

/** Ranges as a page list has them: sorted, disjoint, none empty; neighbours may touch. */
export const sortedRanges: fc.Arbitrary<ByteRange[]> = fc
  .array(fc.record({ gap: fc.nat(4), pages: fc.integer({ min: 1, max: 5 }) }), { maxLength: 10 })
  .map((steps) => {
    let atBytes = 0
    return steps.map(({ gap, pages }) => {
      const startBytes = atBytes + gap * PAGE_BYTES
      atBytes = startBytes + pages * PAGE_BYTES
      return { startBytes, endBytes: atBytes }
    })
  })

/** The pages that ranges cover, each by the number of its page. */
export function pagesOf(ranges: Iterable<ByteRange>): Set<number> {
  const pages = new Set<number>()
  for (const { startBytes, endBytes } of ranges) {
    for (let page = startBytes / PAGE_BYTES; page < endBytes / PAGE_BYTES; page++) pages.add(page)
  }
  return pages
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}
