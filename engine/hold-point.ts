/**
 * Keeps retention from deleting a point while a restore reads it. As good as it can be had: where the target may not be written, the restore
 * goes on and says so; a hold that could not be ended lapses by itself.
 */
import { endHold, holdPoint } from '../azure/point-holds.ts'
import { isFailure } from '../domain/failures.ts'
import { HOLD_RENEWED_EVERY_MS } from '../domain/point-hold.ts'
import type { Engine } from './engine.ts'
import type { RestoreJob } from './restore-job.ts'

type HeldJob = Pick<RestoreJob, 'targetUrl' | 'holdName'>

/** @returns why the point is not held; undefined where it is, or needs no hold. */
export async function tryHold({ azure }: Engine, { targetUrl, holdName }: HeldJob, signal?: AbortSignal): Promise<string | undefined> {
  if (holdName === undefined) return undefined
  try {
    await holdPoint(azure, targetUrl, holdName, signal)
    return undefined
  } catch (error) {
    if (!isFailure(error)) throw error
    return `retention may delete the point while it is restored, since it could not be held: ${error.message}. Pause the policies of the disk until the restore has ended`
  }
}

/** Renews the hold at once and while the work goes on, which may take days. */
export async function whilePointHeld<Output>(engine: Engine, job: HeldJob, work: () => Promise<Output>, signal?: AbortSignal): Promise<Output> {
  const renew = (): Promise<unknown> => tryHold(engine, job, signal)
  await renew()
  // A renewal that fails is made up for by the next one, and a cancel ends the work by itself.
  const timer = setInterval(() => void renew().catch(() => undefined), HOLD_RENEWED_EVERY_MS)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

/** Safe to run twice. */
export async function releaseHold({ azure }: Engine, { targetUrl, holdName }: HeldJob, signal?: AbortSignal): Promise<void> {
  if (holdName === undefined) return
  try {
    await endHold(azure, targetUrl, holdName, signal)
  } catch (error) {
    if (!isFailure(error)) throw error
  }
}
