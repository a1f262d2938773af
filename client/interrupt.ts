/** Ctrl-C, a SIGTERM, or a terminal that is closed: while the command line waits for something that goes on without it, and while it works itself. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The message says how to go on. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/**
 * Waits for `work`, or until SIGINT, SIGTERM or SIGHUP. The signal given to `work` is aborted then, so that it can stop
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
  for (const name of SIGNALS) process.on(name, onSignal)
  try {
    return await Promise.race([work(signal), interrupted])
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal)
  }
}

/**
 * Does `work` in this process. SIGINT, SIGTERM or SIGHUP aborts the signal given to it, and `work` ends in its own time, tidying
 * up; a second one kills. Where nobody reads stdout any more, `work` learns it from its own writes, and ends in its own time as well.
 *
 * @param message what is left behind, and how to go on.
 * @throws Interrupted with `message` when `work` ended because of it.
 */
export async function abortWhenInterrupted<Result>(
  message: string,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const onSignal = () => {
    controller.abort()
    stopListening()
  }
  const stopListening = () => {
    for (const name of SIGNALS) process.off(name, onSignal)
  }
  const onClosedPipe = () => {}
  for (const name of SIGNALS) process.on(name, onSignal)
  process.on('SIGPIPE', onClosedPipe)
  try {
    return await work(controller.signal)
  } catch (error) {
    throw controller.signal.aborted ? new Interrupted(message) : error
  } finally {
    stopListening()
    process.off('SIGPIPE', onClosedPipe)
  }
}
