/** Waiting for something shared without being bound to it. */

/** Waits for `shared`, or rejects with the signal's reason; `shared` itself goes on for the others. */
export async function unlessAborted<T>(shared: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return shared
  signal.throwIfAborted()
  let cancel: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    cancel = () => reject(signal.reason)
    signal.addEventListener('abort', cancel, { once: true })
  })
  try {
    return await Promise.race([shared, aborted])
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/** The outcome of a promise whose failure is someone else's business. */
export async function settled<T>(promise: Promise<T>): Promise<T | undefined> {
  return promise.catch(() => undefined)
}
