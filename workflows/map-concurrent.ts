/** Bounded concurrency as plain promises: deterministic, since the runners take items in order from one shared index. */

/** Results in the order of the items. The first error is thrown when every runner has stopped; no new item is begun after it. */
export async function mapConcurrent<Item, Result>(items: readonly Item[], limit: number, run: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  let hasFailed = false
  const runner = async (): Promise<void> => {
    while (next < items.length && !hasFailed) {
      const index = next++
      try {
        results[index] = await run(items[index]!)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  const settled = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, runner))
  for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason
  return results
}
