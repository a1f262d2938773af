/**
 * What becomes of a doubt about a point: a backup found that its base blob differs where nothing changed since, or a drill that a disk
 * made of it differs. The chunks in doubt are compared with the digests of the point itself. Where they differ, the point and every one
 * that shares the damage is marked as suspect; where they do not, the point is not to blame and nothing is marked.
 */
import { isFailure } from '../domain/failures.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { wholeChunks } from '../domain/digest-table.ts'
import { checkChunks } from './check-chunks.ts'
import type { Engine } from './engine.ts'
import { traceDamage } from './trace-damage.ts'
import { contentCopyOf, readerOf, type VerifyJob } from './verify-job.ts'
import { markSuspects, planVerification } from './verify-point.ts'

export interface Doubt {
  readonly targetUrl: string
  readonly diskId: string
  readonly pointId: string
  readonly ranges: readonly ByteRange[]
  /** ISO instant: since when the point is suspect. */
  readonly at: string
}

export interface ConfirmedDamage {
  /** `unknown`: it has no digests that could be asked. */
  readonly point: 'damaged' | 'right' | 'unknown'
  /** Points that are marked now. */
  readonly suspects: readonly string[]
  /** Whole chunks of the point that differ from its digests. */
  readonly ranges: readonly ByteRange[]
}

/** Safe to run twice. */
export async function confirmDamage(engine: Engine, doubt: Doubt, signal?: AbortSignal): Promise<ConfirmedDamage> {
  const job = await jobOf(engine, doubt, signal)
  if (job === undefined) return { point: 'unknown', suspects: [], ranges: [] }
  const { content, digests } = job
  const reader = readerOf(engine, doubt.targetUrl, digests)
  const point = contentCopyOf(engine, content)
  const ranges: ByteRange[] = []
  for (const window of wholeChunks(doubt.ranges, content.blobBytes)) {
    const { differing } = await checkChunks(reader, content.blobBytes, point, { window, choice: { kind: 'all' }, signal })
    ranges.push(...differing)
  }
  if (ranges.length === 0) return { point: 'right', suspects: [], ranges }
  const damaged = await traceDamage(engine, { job, differing: ranges }, signal)
  await markSuspects(engine, { job, at: doubt.at, damaged }, signal)
  return { point: 'damaged', suspects: damaged.map(({ pointId }) => pointId), ranges }
}

/** @returns undefined for a point that is gone, damaged as a whole, or has no digests: then nothing can be said of its bytes. */
async function jobOf(engine: Engine, { targetUrl, diskId, pointId }: Doubt, signal: AbortSignal | undefined): Promise<VerifyJob | undefined> {
  try {
    return (await planVerification(engine, { targetUrl, diskId, pointId, level: 'structure', seed: 0 }, signal)).job
  } catch (error) {
    if (isFailure(error, 'PointNotFound', 'PointDamaged', 'DigestsMissing')) return undefined
    throw error
  }
}
