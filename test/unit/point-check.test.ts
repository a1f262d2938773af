import { describe, expect, test } from '@jest/globals'
import type { ByteRange } from '../../domain/byte-range.ts'
import { CHUNK_BYTES } from '../../domain/digest-table.ts'
import { claimedAsMended, decodePointCheck, differsFrom, encodePointCheck, isMendedBy, passed, sharePercentOf, suspected, type Verified } from '../../domain/point-check.ts'

const AT = '2026-11-26T10:00:00Z'
const FOUND = { since: AT, ranges: [{ startBytes: 0, endBytes: 4096 }], foundIn: 'point' }
const byDigests = suspected(undefined, 'point', FOUND)
const bySource = suspected(undefined, 'point', { ...FOUND, isBySource: true })
const verified = (level: Verified['level'], percent?: number): Verified => ({ level, at: AT, comparedBytes: 1, ...(percent !== undefined && { percent }) })

describe('a suspicion is lifted', () => {
  test.each([
    ['full', undefined, true, false],
    ['source', undefined, true, true],
    ['source', 99, false, false],
    ['sample', 100, false, false],
    ['structure', undefined, false, false],
  ] as const)('by level %s, %s percent: of digests %s, of the source %s', (level, percent, liftsDigests, liftsSource) => {
    expect(passed(byDigests, 'point', verified(level, percent)).suspect === undefined).toBe(liftsDigests)
    expect(passed(bySource, 'point', verified(level, percent)).suspect === undefined).toBe(liftsSource)
  })
})

test('a verification of the structure does not take away that bytes were compared', () => {
  const full = passed(undefined, 'point', verified('full'))
  expect(passed(full, 'point', verified('structure'))).toEqual(full)
  const structure = passed(undefined, 'point', verified('structure'))
  expect(structure.verified?.level).toBe('structure')
  expect(passed(structure, 'point', verified('sample', 5)).verified?.level).toBe('sample')
})

test.each([
  ['full', undefined, 'sample', 3.3, false],
  ['full', undefined, 'source', 5, false],
  ['sample', 5, 'sample', 3.3, false],
  ['sample', 3.3, 'sample', 5, true],
  ['sample', 5, 'sample', 5, true],
  ['sample', 100, 'full', undefined, true],
  ['full', undefined, 'source', undefined, true],
] as const)('of what was compared, %s (%s percent) and then %s (%s percent), the larger share stays known', (before, beforePercent, then, thenPercent, isReplaced) => {
  const [was, found] = [verified(before, beforePercent), { ...verified(then, thenPercent), at: '2026-11-27T10:00:00Z' }]
  expect(passed(passed(undefined, 'point', was), 'point', found).verified).toEqual(isReplaced ? found : was)
})

test('nothing is known of the bytes where lists alone were read, or nothing was there to be read', () => {
  expect(sharePercentOf(undefined)).toBe(0)
  expect(sharePercentOf(verified('structure'))).toBe(0)
  expect(sharePercentOf({ ...verified('sample', 5), comparedBytes: 0 })).toBe(0)
  expect(sharePercentOf(verified('sample', 5))).toBe(5)
  expect(sharePercentOf(verified('full'))).toBe(100)
})

test('no damage counts as mended that lies between what was read again', () => {
  const chunk = (index: number): ByteRange => ({ startBytes: index * CHUNK_BYTES, endBytes: (index + 1) * CHUNK_BYTES })
  const readAgain = Array.from({ length: 100 }, (_, index) => chunk(2 * index))
  const claimed = claimedAsMended(readAgain)
  expect(readAgain).toEqual(expect.arrayContaining(claimed))
  const suspectAt = (index: number) => suspected(undefined, 'point', { ...FOUND, ranges: [chunk(index)] })
  expect(isMendedBy(suspectAt(0), claimed)).toBe(true)
  for (let index = 1; index < 200; index += 2) expect(isMendedBy(suspectAt(index), claimed)).toBe(false)
})

test('a check is read as it was written, and says what the bytes differ from', () => {
  for (const [check, other] of [[byDigests, 'its digests'], [bySource, 'its source snapshot']] as const) {
    expect(decodePointCheck('point', encodePointCheck(check))).toEqual(check)
    expect(differsFrom(check.suspect!)).toBe(other)
  }
})

test('a check that cannot be read makes its point suspect', () => {
  for (const text of ['', '{', '{"format":2}']) expect(decodePointCheck('point', text).suspect).toBeDefined()
})
