/**
 * A pure function that remembers its latest results, for what is asked again with every request and costs more than
 * looking it up. At most `limit` results are held.
 */
export function memoized<Key extends string | number, Result>(
  make: (key: Key) => Result,
  limit = 1000,
): (key: Key) => Result {
  const results = new Map<Key, Result>()
  return (key) => {
    const known = results.get(key)
    if (known !== undefined) return known
    const made = make(key)
    if (results.size >= limit) results.clear()
    results.set(key, made)
    return made
  }
}
