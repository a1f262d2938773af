/** Whether a reseed compares before it moves, and by what. Reads the target alone. */
import type { BackupPlan } from '../domain/backup-plan.ts'
import type { BackupOptions } from '../domain/policy.ts'
import type { Comparison, OpenedBase } from '../domain/transfer-job.ts'
import { digestBlobOf } from './digest-blobs.ts'
import type { Engine } from './engine.ts'
import { findDigestedPoint } from './digested-point.ts'

/** @returns undefined where everything is to be moved, or nothing is known that could be equal. */
export async function chooseComparison(
  engine: Engine,
  plan: BackupPlan,
  opened: OpenedBase,
  blobBytes: number,
  reseed: BackupOptions['reseed'],
  signal?: AbortSignal,
): Promise<Comparison | undefined> {
  if (plan.kind !== 'reseed' || reseed === 'move') return undefined
  const last = await findDigestedPoint(engine, { ...opened, blobBytes }, digestBlobOf(engine, opened), signal)
  const readsBase = reseed === 'compare'
  if (last !== undefined) return { digests: { tableSnapshot: last.table, sizeBytes: last.blobBytes }, readsBase }
  return readsBase ? { readsBase } : undefined
}
