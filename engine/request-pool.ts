/**
 * Runs requests with several in flight and keeps the watermark that a checkpoint is made of.
 *
 * The invariant: every byte before the watermark is durable in the destination. It moves only when the oldest request in
 * flight has been answered, so requests that end out of order never lift it too far.
 */
import { setMaxListeners } from 'node:events'
import type { ByteRange } from '../domain/byte-range.ts'

export interface PoolOptions<Request extends ByteRange> {
  readonly concurrency: number
  readonly signal?: AbortSignal | undefined
  /** Does one request; aborted by `signal` when another one fails. */
  readonly run: (request: Request, signal: AbortSignal) => Promise<void>
  /** Called after each request that succeeded. */
  readonly onDone: (request: Request, watermarkBytes: number) => void
}

/**
 * Pulls requests (sorted, disjoint) and runs them. Resolves when all are done; on the first error stops pulling, aborts what
 * is in flight, waits for it to settle and throws that error. Nothing is running any more when it returns.
 */
export async function runRequests<Request extends ByteRange>(requests: AsyncIterable<Request> | Iterable<Request>, options: PoolOptions<Request>): Promise<void> {
  const { concurrency, run, onDone } = options
  const aborter = new AbortController()
  const signal = options.signal === undefined ? aborter.signal : AbortSignal.any([options.signal, aborter.signal])
  // Each request in flight listens; that is no leak.
  setMaxListeners(0, signal)
  const inFlight = new Map<Request, Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  let pulledUpToBytes = 0
  /** Goes on pulling; what all in flight resolve to would be one promise more for each of them, time after time. */
  let wake = (): void => {}

  // A Map keeps insertion order and requests come sorted, so its first key is the oldest in flight.
  const watermark = (): number => {
    const oldest = inFlight.keys().next()
    return oldest.done === true ? pulledUpToBytes : oldest.value.startBytes
  }
  const settle = (request: Request): void => {
    inFlight.delete(request)
    onDone(request, watermark())
    wake()
  }
  const fail = (error: unknown): void => {
    // What failed stays in the map: the watermark must not pass it.
    failure ??= { error }
    aborter.abort()
    wake()
  }
  const start = (request: Request): void => {
    pulledUpToBytes = request.endBytes
    inFlight.set(
      request,
      run(request, signal)
        .then(() => settle(request))
        .catch(fail),
    )
  }

  try {
    for await (const request of requests) {
      options.signal?.throwIfAborted()
      if (failure !== undefined) break
      start(request)
      if (inFlight.size >= concurrency) await new Promise<void>((resolve) => (wake = resolve))
      if (failure !== undefined) break
    }
  } catch (error) {
    fail(error)
  }
  await Promise.all(inFlight.values())
  if (failure !== undefined) throw failure.error
}
