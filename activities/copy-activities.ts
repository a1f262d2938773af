/** The steps of a backup by Azure's own snapshot copy. Each may run twice, and beside a dead attempt of itself. */
import { cancellationSignal, sleep } from '@temporalio/activity'
import { startSnapshotCopy, type CopySpec } from '../azure/snapshot-copies.ts'
import { findSnapshot } from '../azure/snapshots.ts'
import { BackupError } from '../domain/failures.ts'
import type { CopiedManifest, CopyVerification } from '../domain/manifest.ts'
import { recoveryPointOf, type CopiedPoint } from '../domain/recovery-point.ts'
import type { Engine } from '../engine/engine.ts'
import { planCopy, type CopyRequest, type PlannedCopy } from '../engine/plan-copy.ts'
import { releaseCopy, type ReleaseCopyOptions } from '../engine/release-copy.ts'
import { sealCopy, type SealCopyOptions } from '../engine/seal-copy.ts'
import { verifyCopy, type CopyComparison } from '../engine/verify-copy.ts'
import { withHeartbeat } from './heartbeat.ts'
import { renewingExports } from './renewing-exports.ts'
import type { SealedHook } from './sealed-hook.ts'
import { asActivity } from './to-failure.ts'

/** A copy takes minutes to days. */
const COMPLETE_POLL_MS = 10_000
/** The first looks come sooner: small copies are done at once. */
const FIRST_POLL_MS = 1_000

export function createCopyControl(engine: Engine, onSealed?: SealedHook) {
  return {
    /** Reads the disk, the target and the points so far. Makes nothing but the target's marker. */
    planCopy: asActivity((input: CopyRequest): Promise<PlannedCopy> => planCopy(engine, input, cancellationSignal())),

    /** Starts the copy, once: its name follows from the run. Waits until Azure has completed it. */
    copySnapshot: asActivity((spec: CopySpec): Promise<CopiedManifest['copiedSnapshot']> =>
      withHeartbeat({ snapshotId: spec.id, completionPercent: 0 }, async (report) => {
        await startSnapshotCopy(engine.azure, spec, cancellationSignal())
        for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(COMPLETE_POLL_MS, 2 * pollMs)) {
          const status = await findSnapshot(engine.azure, spec.id, cancellationSignal())
          if (status === undefined) throw copyFailed(spec, 'the copy was deleted while it was awaited')
          if (status.failure !== undefined) throw copyFailed(spec, status.failure)
          if (status.isReadable) return { id: status.id, uniqueId: status.uniqueId, location: spec.location }
          report({ snapshotId: spec.id, completionPercent: status.completionPercent ?? 0 })
          await sleep(pollMs)
        }
      }),
    ),

    /** Makes the recovery point: its manifest. */
    sealCopiedPoint: asActivity(async (input: SealCopyOptions): Promise<CopiedPoint> => {
      const point = recoveryPointOf(await sealCopy(engine, { ...input, signal: cancellationSignal() }))
      onSealed?.(input.targetUrl, point)
      return point
    }),

    /** Revokes SAS, applies retention, deletes what no point needs. Returns what it was not allowed to do. */
    releaseCopy: asActivity((input: ReleaseCopyOptions): Promise<string[]> => releaseCopy(engine, { ...input, signal: cancellationSignal() })),
  }
}

export function createCopyData(engine: Engine) {
  return {
    /** Compares page lists and samples of the copy and its source. Changes nothing. */
    verifyCopiedSnapshot: asActivity((input: CopyComparison): Promise<CopyVerification> =>
      withHeartbeat({ checkedBytes: 0 }, (report) =>
        renewingExports(engine, [input.sourceId, input.copyId], () =>
          verifyCopy(engine, input, { onProgress: (checkedBytes) => report({ checkedBytes }), signal: cancellationSignal() }),
        ),
      ),
    ),
  }
}

function copyFailed({ id, source }: CopySpec, why: string): BackupError {
  return new BackupError({
    type: 'SnapshotFailed',
    message: `Azure could not complete the copy ${id} of snapshot ${source.id}: ${why}; no point was made`,
    facts: { snapshotId: id },
  })
}
