/** Ctrl-C while the command line waits for something that goes on without it. */

/** Thrown by `untilInterrupted`; the message says how to go on. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/**
 * Waits for `work`, or until SIGINT or SIGTERM. The signal given to `work` is aborted then, so that it can stop
 * drawing; what `work` waits for is not touched.
 *
 * @throws Interrupted with `message`.
 */
export async function untilInterrupted<Result>(
  message: string,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const { signal } = controller
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Interrupted(message)))
  })
  const onSignal = () => controller.abort()
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    return await Promise.race([work(signal), interrupted])
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}
