import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { mapConcurrent } from '../../domain/map-concurrent.ts'

const anyLimit = fc.integer({ min: 1, max: 5 })
const anyMap = [fc.array(fc.nat(99), { maxLength: 12 }), anyLimit, fc.scheduler()] as const

test('results come in the order of the items, in whatever order they end, and no more run at once than asked for', async () => {
  await fc.assert(
    fc.asyncProperty(...anyMap, async (items, limit, scheduler) => {
      let running = 0
      let most = 0
      const results = await scheduler.waitFor(
        mapConcurrent(items, limit, async (item) => {
          most = Math.max(most, ++running)
          await scheduler.schedule(Promise.resolve())
          running -= 1
          return item * 2
        }),
      )
      expect(results).toEqual(items.map((item) => item * 2))
      expect(most).toBe(Math.min(limit, items.length))
    }),
  )
})

test('items begin in order, so that a replay begins them in the same', async () => {
  const begun: number[] = []
  await mapConcurrent([1, 2, 3, 4, 5], 2, async (item) => void begun.push(item))
  expect(begun).toEqual([1, 2, 3, 4, 5])
})

test('after an error no new item is begun, those that run are waited for, and the error is thrown', async () => {
  await fc.assert(
    fc.asyncProperty(...anyMap, fc.nat(11), async (items, limit, scheduler, doomed) => {
      fc.pre(doomed < items.length)
      let running = 0
      let begunAfterError = 0
      let hasFailed = false
      const outcome = await scheduler.waitFor(
        mapConcurrent([...items.keys()], limit, async (index) => {
          if (hasFailed) begunAfterError += 1
          running += 1
          await scheduler.schedule(Promise.resolve())
          running -= 1
          if (index !== doomed) return
          hasFailed = true
          throw new Error('doomed')
        }).then(
          () => 'done',
          (error: unknown) => String(error),
        ),
      )
      expect(outcome).toBe('Error: doomed')
      expect(running).toBe(0)
      expect(begunAfterError).toBe(0)
    }),
  )
})
