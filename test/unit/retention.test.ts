import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { applyRetention } from '../../domain/retention.ts'

const pointsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: `p${index + 1}`,
    takenAt: new Date(Date.UTC(2026, 0, index + 1)).toISOString(),
  }))

test.each<[string, number, number, string[], string[]]>([
  ['keeps the newest', 4, 2, ['p4', 'p3'], ['p2', 'p1']],
  ['keeps all where there are fewer', 2, 30, ['p2', 'p1'], []],
  ['keeps all where there are as many', 2, 2, ['p2', 'p1'], []],
  ['keeps one where none is asked for', 3, 0, ['p3'], ['p2', 'p1']],
  ['keeps one where less than none is asked for', 3, -5, ['p3'], ['p2', 'p1']],
  ['rounds down', 3, 2.9, ['p3', 'p2'], ['p1']],
  ['keeps all where no end is asked for', 3, Number.MAX_SAFE_INTEGER, ['p3', 'p2', 'p1'], []],
  ['keeps all where the rule is no number', 3, Number.NaN, ['p3', 'p2', 'p1'], []],
  ['has nothing to keep of nothing', 0, 3, [], []],
])('a rule %s', (_claim, count, keepLast, keep, remove) => {
  const outcome = applyRetention(pointsOf(count), { keepLast })
  expect(outcome.keep.map(({ id }) => id)).toEqual(keep)
  expect(outcome.remove.map(({ id }) => id)).toEqual(remove)
})

test('the newest point is always kept, no point is lost, and nothing that goes is newer than what stays', () => {
  fc.assert(
    fc.property(
      fc.nat(12).chain((count) => fc.shuffledSubarray(pointsOf(count))),
      fc.oneof(fc.integer({ min: -2, max: 14 }), fc.double()),
      (points, keepLast) => {
        const { keep, remove } = applyRetention(points, { keepLast })
        expect([...keep, ...remove].map(({ id }) => id).sort()).toEqual(points.map(({ id }) => id).sort())
        const newest = points
          .map(({ takenAt }) => takenAt)
          .sort()
          .at(-1)
        expect(keep[0]?.takenAt).toBe(newest)
        for (const { takenAt } of remove) expect(keep.every((kept) => kept.takenAt > takenAt)).toBe(true)
      },
    ),
  )
})
