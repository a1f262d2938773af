import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { rawCrc64 } from '../../azure/crc64.ts'
import { PAGE_BYTES, type ByteRange } from '../../domain/byte-range.ts'
import { CHUNK_BYTES, placeInChunk } from '../../domain/digest-table.ts'
import { xor, ZERO, type Word64 } from '../../domain/crc64-algebra.ts'
import type { Change } from '../../domain/transfer-plan.ts'
import { passOverEqual, type ChunkDigests, type FullChange } from '../../engine/pass-over-equal.ts'
import { collect } from '../azure/support/clients.ts'

/** A disk of three chunks, of which a few pages at their borders hold something: what each page holds, by its number. */
const CHUNKS = 3
const BLOB_BYTES = CHUNKS * CHUNK_BYTES
const PAGES_USED = [0, 1, 2, 3, CHUNK_BYTES / PAGE_BYTES - 1]
const places = Array.from({ length: CHUNKS }, (_, chunk) => PAGES_USED.map((page) => chunk * (CHUNK_BYTES / PAGE_BYTES) + page)).flat()

/** undefined: a hole; 0: a page of zeros that is allocated. */
type Image = readonly (number | undefined)[]
const image: fc.Arbitrary<Image> = fc.array(fc.option(fc.constantFrom(0, 1, 2), { nil: undefined, freq: 2 }), {
  minLength: places.length,
  maxLength: places.length,
})

const rangeOf = (page: number): ByteRange => ({ startBytes: page * PAGE_BYTES, endBytes: (page + 1) * PAGE_BYTES })
const byteAt = (of: Image, startBytes: number): number => of[places.indexOf(startBytes / PAGE_BYTES)] ?? 0

function changesOf(source: Image, base: Image): FullChange[] {
  return places.flatMap((page, index): FullChange[] => {
    const isHeld = base[index] !== undefined
    if (source[index] !== undefined) return [{ kind: 'copy', isHeld, ...rangeOf(page) }]
    return isHeld ? [{ kind: 'clear', isHeld, ...rangeOf(page) }] : []
  })
}

function sumOf(of: Image, ranges: readonly ByteRange[], chunk: ByteRange): Word64 {
  return ranges
    .flatMap(({ startBytes, endBytes }) => Array.from({ length: (endBytes - startBytes) / PAGE_BYTES }, (_, index) => startBytes + index * PAGE_BYTES))
    .reduce((sum, startBytes) => {
      const page = Buffer.alloc(PAGE_BYTES, byteAt(of, startBytes))
      return xor(sum, placeInChunk(rawCrc64(page), { startBytes, endBytes: startBytes + PAGE_BYTES }, chunk))
    }, ZERO)
}

const digestsOf = (source: Image, base: Image): ChunkDigests => ({
  source: async (ranges, chunk) => sumOf(source, ranges, chunk),
  base: async (_index, chunk, isUncertain) =>
    isUncertain ? undefined : sumOf(base, places.map(rangeOf).filter(({ startBytes, endBytes }) => startBytes >= chunk.startBytes && endBytes <= chunk.endBytes), chunk),
})

const planned = (source: Image, base: Image, uncertain: ByteRange[] = []): Promise<Change[]> =>
  collect(passOverEqual(changesOf(source, base), uncertain, digestsOf(source, base), BLOB_BYTES))

describe('what a reseed passes over', () => {
  test('leaves the base blob as the source is, whatever both hold', async () => {
    await fc.assert(
      fc.asyncProperty(image, image, async (source, base) => {
        const result = [...base]
        for (const { kind, startBytes } of await planned(source, base)) {
          const index = places.indexOf(startBytes / PAGE_BYTES)
          if (kind === 'copy') result[index] = source[index]
          if (kind === 'clear') result[index] = undefined
        }
        expect(result).toEqual(source)
      }),
      { numRuns: 300 },
    )
  })

  test('is all of a chunk that both hold alike, and nothing of one that differs in a page', async () => {
    const source = places.map((_, index) => (index % 3) + 1)
    const base = source.map((value, index) => (index === 0 ? value + 1 : value))
    const kinds = (await planned(source, base)).map(({ kind }) => kind)
    expect(kinds).toEqual(places.map((_, index) => (index < PAGES_USED.length ? 'copy' : 'same')))
  })

  test('is nothing where the digests are older than the bytes', async () => {
    const source = places.map(() => 1)
    const kinds = (await planned(source, source, [{ startBytes: CHUNK_BYTES + 4096, endBytes: CHUNK_BYTES + 8192 }])).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'copy')).toHaveLength(PAGES_USED.length)
    expect(kinds.filter((kind) => kind === 'same')).toHaveLength(2 * PAGES_USED.length)
  })
})
