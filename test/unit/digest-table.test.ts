import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { rawCrc64 } from '../../azure/crc64.ts'
import { PAGE_BYTES } from '../../domain/byte-range.ts'
import { xor, ZERO, type Word64 } from '../../domain/crc64-algebra.ts'
import {
  CHUNK_BYTES,
  chunkAt,
  chunkCount,
  chunkIndexAt,
  digestEntryOf,
  ENTRY_BYTES,
  placeInChunk,
  rawOfEntry,
  readEntry,
  wholeChunks,
  writeEntry,
  type DigestEntry,
} from '../../domain/digest-table.ts'

const word: fc.Arbitrary<Word64> = fc.record({ high: fc.integer({ min: 0, max: 2 ** 32 - 1 }), low: fc.integer({ min: 0, max: 2 ** 32 - 1 }) })
const epoch = fc.integer({ min: 1, max: 2 ** 48 - 1 })
const anyEntry: fc.Arbitrary<DigestEntry> = fc.oneof(
  fc.record({ kind: fc.constant('digest' as const), checksum: word, epoch }),
  fc.record({
    kind: fc.constant('written' as const),
    raw: word,
    pages: fc.integer({ min: 0, max: CHUNK_BYTES / PAGE_BYTES }),
    basis: fc.constantFrom('service-checksum' as const, 'source-stream' as const),
    epoch,
  }),
)

test('an entry is read as it was written, and touches nothing beside it', () => {
  fc.assert(
    fc.property(fc.option(anyEntry, { nil: undefined }), fc.nat({ max: 31 }), (entry, index) => {
      const table = new Uint8Array(PAGE_BYTES).fill(0xa5)
      writeEntry(table, index, entry)
      expect(readEntry(table, index)).toEqual(entry)
      for (const [at, byte] of table.entries()) if (Math.floor(at / ENTRY_BYTES) !== index) expect(byte).toBe(0xa5)
    }),
  )
})

test('an empty table says that everything is zero', () => {
  expect(readEntry(new Uint8Array(PAGE_BYTES), 7)).toBeUndefined()
  expect(digestEntryOf(ZERO, CHUNK_BYTES, 1)).toBeUndefined()
})

test('chunks tile the blob; the last one ends with it', () => {
  const blobBytes = 3 * CHUNK_BYTES + PAGE_BYTES
  const chunks = Array.from({ length: chunkCount(blobBytes) }, (_, index) => chunkAt(index, blobBytes))
  expect(chunks.map(({ startBytes }) => chunkIndexAt(startBytes))).toEqual([0, 1, 2, 3])
  expect(chunks.at(-1)).toEqual({ startBytes: 3 * CHUNK_BYTES, endBytes: blobBytes })
})

/** A chunk of a few pages in the place of 4 MiB: the arithmetic is the same. */
const PAGES = 8
const image = fc.array(fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 2, arbitrary: fc.integer({ min: 0, max: 255 }) }), {
  minLength: PAGES,
  maxLength: PAGES,
})

test('what a run overwrites, clears and adds to a chunk, also to one that has grown, makes the digest of its new bytes', () => {
  const bytesOf = (pages: readonly (number | undefined)[]): Buffer =>
    Buffer.concat(pages.map((seed) => Buffer.alloc(PAGE_BYTES).map((_, at) => (seed === undefined ? 0 : (seed * 31 + at * 7) & 0xff)) as Buffer))
  fc.assert(
    fc.property(image, image, fc.integer({ min: 1, max: PAGES }), fc.array(fc.boolean(), { minLength: PAGES, maxLength: PAGES }), (before, after, wasPages, isChanged) => {
      const old = before.slice(0, wasPages)
      const grown = Array.from({ length: PAGES }, (_, page) => old[page])
      const now = grown.map((page, index) => (isChanged[index] ? after[index] : page))
      const chunk = { startBytes: 0, endBytes: PAGES * PAGE_BYTES }
      const known = digestEntryOf(rawCrc64(bytesOf(old)), wasPages * PAGE_BYTES, 5)
      const sumOf = (pages: readonly (number | undefined)[]): Word64 =>
        pages.reduce<Word64>((sum, page, index) => {
          if (!isChanged[index]) return sum
          const piece = { startBytes: index * PAGE_BYTES, endBytes: (index + 1) * PAGE_BYTES }
          return xor(sum, placeInChunk(rawCrc64(bytesOf([page])), piece, chunk))
        }, ZERO)
      const raw = [rawOfEntry(known, wasPages * PAGE_BYTES, PAGES * PAGE_BYTES), sumOf(grown), sumOf(now)].reduce(xor)
      expect(raw).toEqual(rawCrc64(bytesOf(now)))
    }),
  )
})

test('ranges are widened to the chunks that they touch, the last one as far as the blob reaches', () => {
  const blobBytes = 2 * CHUNK_BYTES + PAGE_BYTES
  const at = (startBytes: number, endBytes: number) => ({ startBytes, endBytes })
  expect(wholeChunks([], blobBytes)).toEqual([])
  expect(wholeChunks([at(512, 1024)], blobBytes)).toEqual([at(0, CHUNK_BYTES)])
  expect(wholeChunks([at(CHUNK_BYTES - 512, CHUNK_BYTES + 512)], blobBytes)).toEqual([at(0, 2 * CHUNK_BYTES)])
  expect(wholeChunks([at(0, CHUNK_BYTES)], blobBytes)).toEqual([at(0, CHUNK_BYTES)])
  expect(wholeChunks([at(2 * CHUNK_BYTES, blobBytes), at(0, 512)], blobBytes)).toEqual([at(0, CHUNK_BYTES), at(2 * CHUNK_BYTES, blobBytes)])
})
