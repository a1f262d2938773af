/**
 * Heartbeats on a timer while work goes on, with the newest details: a single call to Azure may take longer than the heartbeat
 * timeout. Details are small, readable and never secret: they are the progress that the Temporal UI shows.
 *
 * Work may report as often as it likes: what is reported waits for the next beat, and work that is done before the first
 * one sends none.
 */
import { Context, heartbeat } from '@temporalio/activity'

/** A fourth of the shortest heartbeat timeout. Each beat is an action that is paid for, so short work sends none. */
const INTERVAL_MS = 5_000

/** Activities whose heartbeats have details: a bare one would take the place of their checkpoint. */
const telling = new WeakSet<Context>()

/** Heartbeats while `work` goes on, so that the death of its worker is noticed soon and a cancel reaches it. */
export async function keepAlive<Output>(work: () => Promise<Output>): Promise<Output> {
  const context = Context.current()
  const timer = setInterval(() => {
    if (!telling.has(context)) heartbeat()
  }, INTERVAL_MS)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

/** Runs `work`; `report` replaces the details that the next heartbeat carries. */
export async function withHeartbeat<Details, Output>(
  first: Details | undefined,
  work: (report: (details: Details) => void) => Promise<Output>,
): Promise<Output> {
  telling.add(Context.current())
  let latest = first
  const timer = setInterval(() => heartbeat(latest), INTERVAL_MS)
  try {
    return await work((details) => {
      latest = details
    })
  } catch (error) {
    // The next attempt goes on from what this one had reached, and not from the last beat before it failed.
    heartbeat(latest)
    throw error
  } finally {
    clearInterval(timer)
  }
}
