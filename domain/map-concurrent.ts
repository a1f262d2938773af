/** Bounded concurrency as plain promises: deterministic, since the runners take items in order from one shared index. */

/** Results in the order of the items. After an error no new item is begun; it is thrown when every runner has stopped. At least one runs. */
export async function mapConcurrent<Item, Result>(items: readonly Item[], limit: number, run: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  let failure: { readonly error: unknown } | undefined
  const runner = async (): Promise<void> => {
    while (next < items.length && failure === undefined) {
      const index = next++
      try {
        results[index] = await run(items[index]!)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  const runners = Math.min(Math.max(1, limit), items.length)
  await Promise.all(Array.from({ length: runners }, runner))
  if (failure !== undefined) throw failure.error
  return results
}
