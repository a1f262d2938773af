import { describe, expect, test } from '@jest/globals'
import { batchesOf, BatchStream, laterBatches, MOST_OF_A_BATCH, throughBatches } from '../../domain/batches.ts'
import { collect } from './support/arbitraries.ts'

/** Notes when it is closed. */
function stream(...batches: number[][]): { numbers: BatchStream<number>; seen: { isClosed: boolean } } {
  const seen = { isClosed: false }
  async function* played(): AsyncGenerator<readonly number[], void, undefined> {
    try {
      yield* batches
    } finally {
      seen.isClosed = true
    }
  }
  return { numbers: new BatchStream(played()), seen }
}

describe('a stream of batches', () => {
  test('is a stream of its items for who takes them one by one', async () => {
    const { numbers, seen } = stream([1, 2], [], [3])
    expect(await collect(numbers)).toEqual([1, 2, 3])
    expect(seen.isClosed).toBe(true)
  })

  test('gives the rest of a batch to who has taken an item of it', async () => {
    const { numbers } = stream([1, 2, 3], [4])
    expect(await numbers.next()).toEqual({ value: 1, done: false })
    expect(await numbers.nextBatch()).toEqual([2, 3])
    expect(await numbers.next()).toEqual({ value: 4, done: false })
    expect(await numbers.nextBatch()).toBeUndefined()
    expect(await numbers.next()).toEqual({ value: undefined, done: true })
  })

  test.each(['item by item', 'by batches'])('is closed by who leaves early, %s', async (how) => {
    const { numbers, seen } = stream([1, 2], [3])
    for await (const _first of how === 'by batches' ? batchesOf(numbers) : numbers) break
    expect(seen.isClosed).toBe(true)
    expect(await numbers.next()).toEqual({ value: undefined, done: true })
  })
})

describe('by batches', () => {
  test('a list comes in bounded ones, and what comes by itself as it comes', async () => {
    const lengths = (await collect(batchesOf(Array.from({ length: MOST_OF_A_BATCH + 1 }, (_, index) => index)))).map(({ length }) => length)
    expect(lengths).toEqual([MOST_OF_A_BATCH, 1])
    async function* single(): AsyncGenerator<number> {
      yield 1
      yield 2
    }
    expect(await collect(batchesOf(single()))).toEqual([[1], [2]])
    expect(await collect(batchesOf([]))).toEqual([])
  })

  test('each item goes through a step that may drop it or make more of it', async () => {
    const through = throughBatches<number, string>(stream([1, 2], [3]).numbers, (item, emit) => {
      if (item !== 2) for (let times = 0; times < item; times++) emit(`${item}`)
    })
    expect(await collect(through)).toEqual(['1', '3', '3', '3'])
  })

  test('a step that fails fails the stream and closes what it reads', async () => {
    const { numbers, seen } = stream([1], [2])
    const through = throughBatches(numbers, () => {
      throw new Error('no')
    })
    await expect(through.next()).rejects.toThrow('no')
    expect(seen.isClosed).toBe(true)
  })

  test('what must be asked for first is asked for when it is read, once', async () => {
    let asked = 0
    const later = laterBatches(async () => {
      asked += 1
      return stream([1], [2]).numbers
    })
    expect(asked).toBe(0)
    expect(await collect(later)).toEqual([1, 2])
    expect(asked).toBe(1)
  })
})
