/** Seals a complete copy of a snapshot into a recovery point: its manifest in the target. */
import { findSnapshot } from '../azure/snapshots.ts'
import { BackupError } from '../domain/failures.ts'
import { describedDisk, isCopied, type CopiedManifest, type CopyVerification } from '../domain/manifest.ts'
import type { SourceDisk, SourceSnapshot } from '../domain/source-disk.ts'
import type { Engine } from './engine.ts'
import type { PlannedCopy } from './plan-copy.ts'
import { sealManifest } from './seal-manifest.ts'

export interface SealCopyOptions {
  readonly targetUrl: string
  readonly chain: string
  /** Also the id of the point. */
  readonly runKey: string
  readonly workflowId: string
  readonly startedAt: string
  readonly disk: SourceDisk
  readonly snapshot: SourceSnapshot
  readonly copy: CopiedManifest['copiedSnapshot']
  readonly kind: PlannedCopy['kind']
  readonly verification: CopyVerification
  readonly signal?: AbortSignal | undefined
}

/** Safe to run twice. @throws BackupError SnapshotFailed where the copy is not what was verified: then no point is made. PointExists. */
export function sealCopy(engine: Engine, options: SealCopyOptions): Promise<CopiedManifest> {
  return sealManifest(engine, options, isCopied, async () => {
    await requireUnchanged(engine, options)
    return manifestOf(options)
  })
}

async function requireUnchanged(engine: Engine, { copy, signal }: SealCopyOptions): Promise<void> {
  const standing = await findSnapshot(engine.azure, copy.id, signal)
  if (standing?.uniqueId === copy.uniqueId && standing.isReadable) return
  throw new BackupError({
    type: 'SnapshotFailed',
    message: `copied snapshot ${copy.id} was deleted or replaced before it was sealed; no point was made`,
    facts: { snapshotId: copy.id },
  })
}

function manifestOf({ runKey, workflowId, startedAt, disk, snapshot, copy, kind, verification }: SealCopyOptions): CopiedManifest {
  const sealedAt = new Date().toISOString()
  return {
    format: 2,
    engine: 'copy-start',
    id: runKey,
    kind,
    reseedCause: null,
    takenAt: snapshot.takenAt,
    sealedAt,
    disk: describedDisk(disk),
    sizeBytes: snapshot.sizeBytes,
    copiedSnapshot: copy,
    source: { snapshotId: snapshot.id, snapshotUniqueId: snapshot.uniqueId, familyId: snapshot.familyId },
    run: { key: runKey, workflowId, epoch: 0 },
    // Azure does not say what it moved.
    changedBytes: 0,
    clearedBytes: 0,
    movedBytes: 0,
    requests: 0,
    seconds: Math.max(0, (Date.parse(sealedAt) - Date.parse(startedAt)) / 1000),
    verification,
    writtenBy: 'snapferry',
  }
}
