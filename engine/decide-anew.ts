/**
 * Changes of the base blob that are decided on what it is: read, decide, change if it is still so (ETag).
 *
 * Every page write changes the ETag, also a late one that still carries the present epoch: of an attempt that Temporal gave
 * up, or of a run that was terminated a moment ago. Losing that race says nothing about who owns the base blob, so the
 * decision is made anew on what is there then.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FencedBlob } from '../azure/fenced-blob.ts'
import { BackupError, isFailure } from '../domain/failures.ts'

const MAX_DECISIONS = 10
const LONGEST_PAUSE_MS = 100

/**
 * Runs `decide` until no other change comes between its reading and its changing.
 *
 * @param decide reads the base blob by itself and throws what it finds to be final.
 * @throws BackupError AzureUnavailable where late writes do not cease: Temporal then waits for their worker to notice.
 */
export async function decideAnew<Result>(base: Pick<FencedBlob, 'name'>, signal: AbortSignal | undefined, decide: () => Promise<Result>): Promise<Result> {
  for (let decision = 1; ; decision++) {
    try {
      return await decide()
    } catch (error) {
      if (!isFailure(error, 'FencedOut') || error.facts['status'] !== 412) throw error
      if (decision === MAX_DECISIONS) throw busy(base, error)
      await sleep(Math.random() * LONGEST_PAUSE_MS, undefined, signal === undefined ? {} : { signal })
    }
  }
}

function busy(base: Pick<FencedBlob, 'name'>, cause: BackupError): BackupError {
  return new BackupError({
    type: 'AzureUnavailable',
    message: `base blob ${base.name} is being written by an attempt that should have ended; it is tried again later`,
    facts: cause.facts,
    cause,
  })
}
