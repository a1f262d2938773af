import { expect, test } from '@jest/globals'
import { DEFAULT_MAX_CONCURRENT_DISKS, DEFAULT_OPTIONS } from '../../domain/policy.ts'

test('the defaults are documented, so they are pinned', () => {
  expect(DEFAULT_OPTIONS).toEqual({
    retention: { keepLast: 30 },
    verify: { sampleChanged: 16, sampleUnchanged: 16, maxRounds: 3 },
  })
  expect(DEFAULT_MAX_CONCURRENT_DISKS).toBe(8)
})

test('by default Azure chooses the redundancy of a snapshot, and the snapshot lies beside its disk', () => {
  expect(DEFAULT_OPTIONS).not.toHaveProperty('snapshotSku')
  expect(DEFAULT_OPTIONS).not.toHaveProperty('snapshotResourceGroup')
})

test('by default a run compares bytes and may repair what it finds', () => {
  expect(DEFAULT_OPTIONS.verify.sampleChanged + DEFAULT_OPTIONS.verify.sampleUnchanged).toBeGreaterThan(0)
  expect(DEFAULT_OPTIONS.verify.maxRounds).toBeGreaterThan(1)
})
