import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { newestAt, newestFirst, recoveryPointOf } from '../../domain/recovery-point.ts'
import { aManifest } from './support/builders.ts'

const at = (takenAt: string, id = takenAt) => ({ id, takenAt })
const points = [at('2026-03-01T02:00:00Z'), at('2026-03-03T02:00:00Z'), at('2026-03-02T02:00:00Z')]

test('a point shows what its manifest says', () => {
  expect(recoveryPointOf(aManifest())).toEqual({
    id: '20260301T020000Z-0123456789ab',
    diskId: aManifest().disk.id,
    diskUniqueId: 'disk-unique-1',
    takenAt: '2026-03-01T02:00:00.000Z',
    sealedAt: '2026-03-01T02:07:30.000Z',
    kind: 'incremental',
    reseedCause: null,
    sizeBytes: aManifest().sizeBytes,
    changedBytes: 1024,
    clearedBytes: 0,
    movedBytes: 1536,
    requests: 2,
    seconds: 450.5,
    verification: aManifest().verification,
    baseBlobName: 'disks/a/b/base.vhd',
    blobSnapshot: '2026-03-01T02:07:29.1234567Z',
  })
})

describe('the newest point at an instant', () => {
  test.each([
    ['behind all', '2026-04-01T00:00:00Z', '2026-03-03T02:00:00Z'],
    ['between two', '2026-03-03T01:59:59.999Z', '2026-03-02T02:00:00Z'],
    ['of a point itself', '2026-03-02T02:00:00Z', '2026-03-02T02:00:00Z'],
    ['in another time zone', '2026-03-02T03:00:00+01:00', '2026-03-02T02:00:00Z'],
    ['before all', '2026-02-28T00:00:00Z', undefined],
    ['that is none', 'soon', undefined],
  ])('%s', (_where, instant, expected) => {
    expect(newestAt(points, instant)?.takenAt).toBe(expected)
  })

  test('is the latest of those that are not later', () => {
    const instants = fc
      .date({ min: new Date('2026-01-01'), max: new Date('2026-01-03'), noInvalidDate: true })
      .map((date) => date.toISOString())
    fc.assert(
      fc.property(fc.array(instants), instants, (taken, instant) => {
        const expected = taken
          .filter((each) => each <= instant)
          .sort()
          .at(-1)
        expect(
          newestAt(
            taken.map((each) => at(each)),
            instant,
          )?.takenAt,
        ).toBe(expected)
      }),
    )
  })
})

test('points are ordered by the instant that they hold, whatever its zone, and equal ones by id', () => {
  const mixed = [
    at('2026-03-01T02:00:00Z', 'a'),
    at('2026-03-01T02:00:00.000+00:00', 'b'),
    at('2026-03-01T05:00:00+05:00', 'c'),
  ]
  expect(newestFirst(mixed).map(({ id }) => id)).toEqual(['b', 'a', 'c'])
  expect(mixed[0]?.id).toBe('a')
})
