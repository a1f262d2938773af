/** Repeats work that only reads, once, with new SAS, where the old ones died in the middle. */
import { cancellationSignal } from '@temporalio/activity'
import { isFailure } from '../domain/failures.ts'
import type { Engine } from '../engine/engine.ts'

export async function renewingExports<Output>(engine: Engine, snapshotIds: readonly string[], work: () => Promise<Output>): Promise<Output> {
  try {
    return await work()
  } catch (error) {
    if (!isFailure(error, 'ExportAccessLost')) throw error
    const signal = cancellationSignal()
    for (const id of snapshotIds) {
      try {
        await engine.exports.renew(id, await engine.exports.read(id, signal), signal)
      } catch (cause) {
        // What a snapshot that is gone means is for the work to say: without the cursor a survey turns into a reseed.
        if (!isFailure(cause, 'SourceSnapshotNotFound')) throw cause
      }
    }
    return work()
  }
}
