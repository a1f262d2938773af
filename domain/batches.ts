/**
 * Streams whose items come in batches.
 *
 * A list of a million ranges passes through ten steps on its way from a page of the list to a request. An item that is handed over
 * by itself costs each of them several promises, more than all that is done with it; a batch costs them once for hundreds.
 */

/** Items that are there already are handed over together, but not so many that they would be memory to speak of. */
export const MOST_OF_A_BATCH = 1_024

/** A stream of items like any other for one reader that knows no batches; `batchesOf` gives them to one that does. */
export class BatchStream<Item> implements AsyncGenerator<Item, void, undefined> {
  readonly #batches: AsyncGenerator<readonly Item[], void, undefined>
  #batch: readonly Item[] = []
  #next = 0

  /** @param batches ends with the stream, also early. */
  constructor(batches: AsyncGenerator<readonly Item[], void, undefined>) {
    this.#batches = batches
  }

  next(): Promise<IteratorResult<Item, void>> {
    return this.#next < this.#batch.length ? Promise.resolve({ value: this.#batch[this.#next++]!, done: false }) : this.#nextOfAnother()
  }

  async #nextOfAnother(): Promise<IteratorResult<Item, void>> {
    const batch = await this.nextBatch()
    if (batch === undefined) return { value: undefined, done: true }
    this.#batch = batch
    this.#next = 1
    return { value: batch[0]!, done: false }
  }

  /** What has not been taken yet of the present batch, or the next one. @returns undefined at the end; never an empty batch. */
  async nextBatch(): Promise<readonly Item[] | undefined> {
    const rest = this.#next < this.#batch.length ? this.#batch.slice(this.#next) : undefined
    this.#batch = []
    this.#next = 0
    if (rest !== undefined) return rest
    for (;;) {
      const { value, done } = await this.#batches.next()
      if (done === true) return undefined
      if (value.length > 0) return value
    }
  }

  async return(_value?: unknown): Promise<IteratorResult<Item, void>> {
    this.#batch = []
    this.#next = 0
    await this.#batches.return()
    return { value: undefined, done: true }
  }

  async throw(error: unknown): Promise<IteratorResult<Item, void>> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}

/** The same stream, batch by batch. What is not batched comes as it is there: at once, or one by one. Closed when this ends, also early. */
export async function* batchesOf<Item>(items: AsyncIterable<Item> | Iterable<Item>): AsyncGenerator<readonly Item[], void, undefined> {
  if (items instanceof BatchStream) {
    try {
      for (let batch = await items.nextBatch(); batch !== undefined; batch = await items.nextBatch()) yield batch
    } finally {
      await items.return()
    }
  } else if (Symbol.asyncIterator in items) {
    for await (const item of items) yield [item]
  } else {
    let batch: Item[] = []
    for (const item of items) {
      batch.push(item)
      if (batch.length < MOST_OF_A_BATCH) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  }
}

/** Each batch through `step`, which holds what it must know between them. */
export function throughBatches<Input, Output>(
  items: AsyncIterable<Input> | Iterable<Input>,
  step: (item: Input, emit: (output: Output) => void) => void,
): BatchStream<Output> {
  async function* outputs(): AsyncGenerator<readonly Output[], void, undefined> {
    let batch: Output[] = []
    const emit = (output: Output): void => void batch.push(output)
    for await (const inputs of batchesOf(items)) {
      for (const input of inputs) step(input, emit)
      yield batch
      batch = []
    }
  }
  return new BatchStream(outputs())
}

/** A stream that must be asked for first; that is done when it is read. */
export function laterBatches<Item>(open: () => Promise<AsyncIterable<Item>>): BatchStream<Item> {
  async function* opened(): AsyncGenerator<readonly Item[], void, undefined> {
    yield* batchesOf(await open())
  }
  return new BatchStream(opened())
}

/** Where the reader of several streams stands in one of them. The reader waits for those that are dry, all together. */
export class BatchCursor<Item> {
  readonly #batches: AsyncGenerator<readonly Item[], void, undefined>
  #batch: readonly Item[] = []
  #index = 0
  #hasEnded = false

  constructor(items: AsyncIterable<Item> | Iterable<Item>) {
    this.#batches = batchesOf(items)
  }

  /** undefined: it is dry, or has ended. */
  get current(): Item | undefined {
    return this.#batch[this.#index]
  }

  /** What comes next must be waited for. */
  get isDry(): boolean {
    return this.current === undefined && !this.#hasEnded
  }

  advance(): void {
    this.#index += 1
  }

  async refill(): Promise<void> {
    const { value, done } = await this.#batches.next()
    this.#hasEnded = done === true
    this.#batch = done === true ? [] : value
    this.#index = 0
  }

  async close(): Promise<void> {
    await this.#batches.return()
  }
}
