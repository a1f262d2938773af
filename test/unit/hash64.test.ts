import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { hash64 } from '../../domain/hash64.ts'

test.each([
  ['', 'efd01f60ba992926'],
  ['a', '82a2a958a9bece5b'],
  ['b', '6e673288764ad2d0'],
  ['snapferry', '7585f0348e1ad0e7'],
  ['/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/disks/data', '76b72b6cee262094'],
  ['größe 東京 🗄', 'decc706f8d1ef068'],
])('the hash of "%s" is pinned: blob names depend on it for ever', (text, expected) => {
  expect(hash64(text)).toBe(expected)
})

test('a hash is 16 hex digits, also where it starts with zeros', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => expect(hash64(text)).toMatch(/^[0-9a-f]{16}$/)))
})

test('the first eight digits, which names keep, tell texts apart that differ in their last character', () => {
  const heads = Array.from({ length: 20_000 }, (_, index) => hash64(`disk-${index}`).slice(0, 8))
  expect(new Set(heads).size).toBeGreaterThanOrEqual(19_999)
})

test('each first digit is about as frequent as any other', () => {
  const counts = new Map<string, number>()
  for (let index = 0; index < 16_000; index++) {
    const digit = hash64(`disk-${index}`).slice(0, 1)
    counts.set(digit, (counts.get(digit) ?? 0) + 1)
  }
  expect(counts.size).toBe(16)
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150)
})
