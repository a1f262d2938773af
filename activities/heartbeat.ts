/**
 * Heartbeats on a timer while work goes on, with the newest details: a single call to Azure may take longer than the heartbeat
 * timeout. Details are small, readable and never secret: they are the progress that the Temporal UI shows.
 */
import { heartbeat } from '@temporalio/activity'

const INTERVAL_MS = 2_000

/** Runs `work`; `report` replaces the details and heartbeats. The SDK throttles what is sent. */
export async function withHeartbeat<Details, Output>(
  first: Details | undefined,
  work: (report: (details: Details) => void) => Promise<Output>,
): Promise<Output> {
  let latest = first
  heartbeat(latest)
  const timer = setInterval(() => heartbeat(latest), INTERVAL_MS)
  try {
    return await work((details) => {
      latest = details
      heartbeat(details)
    })
  } finally {
    clearInterval(timer)
  }
}
