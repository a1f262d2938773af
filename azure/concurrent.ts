/** Bounded concurrency over a stream. */

/** Maps with at most `limit` calls under way and yields in the order of the input. The first failure ends it. */
export async function* mapConcurrently<In, Out>(
  inputs: AsyncIterable<In>,
  limit: number,
  map: (input: In) => Promise<Out>,
): AsyncGenerator<Out> {
  const underWay: Promise<Out>[] = []
  for await (const input of inputs) {
    const output = map(input)
    // One that fails before its turn, or after the end, must not end the process.
    output.catch(() => undefined)
    underWay.push(output)
    if (underWay.length >= limit) yield await underWay.shift()!
  }
  for (const output of underWay) yield await output
}
