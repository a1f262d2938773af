/** The verification of a recovery point in steps: what is to be read, reading it, and writing down what was found. */
import { updateCheck } from '../azure/point-checks.ts'
import { findSnapshot } from '../azure/snapshots.ts'
import { readVerifiedDay, writeVerifiedDay } from '../azure/verify-cycle.ts'
import { slicesDue, type ChunkChoice } from '../domain/chunk-choice.ts'
import { isFailure, BackupError } from '../domain/failures.ts'
import { isCopied, type Manifest } from '../domain/manifest.ts'
import { parseBaseBlobName } from '../domain/names.ts'
import { passed, suspected, type Verified, type VerifyLevel } from '../domain/point-check.ts'
import { recoveryPointOf, type RecoveryPoint } from '../domain/recovery-point.ts'
import type { PointChoice } from '../domain/restore-request.ts'
import { choosePoint } from './choose-point.ts'
import type { Engine } from './engine.ts'
import { pointContentOf } from './restore-job.ts'
import type { DamagedPart } from './trace-damage.ts'
import { readerOf, type VerifyJob } from './verify-job.ts'

export interface VerifyRequest extends PointChoice {
  readonly level: VerifyLevel
  /** Of a sample. */
  readonly percent?: number
  readonly seed: number
  /** Only what is due on a day: of `full` a part, so that every chunk is read in so many days; else once in so many days. */
  readonly cycle?: { readonly everyDays: number; readonly day: number }
}

export interface PlannedVerification {
  readonly job: VerifyJob
  readonly point: RecoveryPoint
}

export const DEFAULT_PERCENT = 5

/** @throws BackupError PointNotFound | PointDamaged | DigestsMissing | SourceSnapshotNotFound */
export async function planVerification(engine: Engine, request: VerifyRequest, signal?: AbortSignal): Promise<PlannedVerification> {
  const { targetUrl, level, cycle } = request
  const { manifest } = await choosePoint(engine, { ...request, allowsSuspect: true }, signal)
  if (isCopied(manifest)) throw digestsMissing(manifest.id, 'it is a snapshot that Azure copied')
  const chain = parseBaseBlobName(manifest.baseBlob.name)
  const { digests } = manifest
  if (digests === undefined || chain === undefined) throw digestsMissing(manifest.id, 'it was made without')
  try {
    await readerOf(engine, targetUrl, digests).entry(0, signal)
  } catch (error) {
    if (!isFailure(error, 'PointNotFound')) throw error
    throw digestsMissing(manifest.id, `the snapshot ${digests.snapshot} of ${digests.name} is gone`)
  }
  const choice = cycle === undefined ? choiceOf(request) : await dueChoice(engine, request, cycle, chain, signal)
  const source = level === 'source' ? { sourceSnapshotId: await requireLiveSource(engine, manifest, signal) } : {}
  const job = { targetUrl, chain, pointId: manifest.id, content: pointContentOf(targetUrl, manifest), digests, level, choice, ...source }
  return { job, point: recoveryPointOf(manifest) }
}

async function requireLiveSource(engine: Engine, { id, source }: Manifest, signal: AbortSignal | undefined): Promise<string> {
  const { snapshotId, snapshotUniqueId } = source
  const found = await findSnapshot(engine.azure, snapshotId, signal)
  if (found?.uniqueId.toLowerCase() === snapshotUniqueId.toLowerCase()) return snapshotId
  throw new BackupError({
    type: 'SourceSnapshotNotFound',
    message:
      `the source snapshot ${snapshotId} of point ${id} is ${found === undefined ? 'gone' : 'another one by now'}: normally that of the newest point alone is kept. ` +
      'Compare the point with its digests: --level full',
    facts: { pointId: id, snapshotId },
  })
}

function choiceOf({ level, percent, seed }: VerifyRequest): ChunkChoice {
  if (level === 'structure') return { kind: 'none' }
  const isWhole = level === 'full' || (level === 'source' && percent === undefined)
  return isWhole ? { kind: 'all' } : { kind: 'sample', percent: percent ?? DEFAULT_PERCENT, seed }
}

async function dueChoice(
  engine: Engine,
  request: VerifyRequest,
  { everyDays, day }: NonNullable<VerifyRequest['cycle']>,
  chain: string,
  signal: AbortSignal | undefined,
): Promise<ChunkChoice> {
  const lastDay = await readVerifiedDay(engine.azure, request.targetUrl, chain, signal)
  if (request.level !== 'full') return lastDay !== undefined && day < lastDay + everyDays ? { kind: 'none' } : choiceOf(request)
  const slices = slicesDue(everyDays, day, lastDay)
  return slices.length === 0 ? { kind: 'none' } : { kind: 'slices', count: everyDays, slices }
}

export interface VerificationRecord {
  readonly job: VerifyJob
  readonly at: string
  readonly comparedBytes: number
  /** Empty: all that was compared is right. */
  readonly damaged: readonly DamagedPart[]
  /** Whether it was the source snapshot that told. */
  readonly isBySource?: boolean
  /** Slices up to this day were read. */
  readonly day?: number
}

/** Safe to run twice. */
export async function recordVerification(engine: Engine, record: VerificationRecord, signal?: AbortSignal): Promise<void> {
  const { job, at, comparedBytes, damaged, day } = record
  const { targetUrl, chain, pointId, choice } = job
  await markSuspects(engine, record, signal)
  const verified = { at, comparedBytes, ...whatWasVerified(job, comparedBytes) }
  // Nothing was due.
  if (choice.kind === 'none' && job.level !== 'structure' && damaged.length === 0) return
  if (damaged.length === 0) await updateCheck(engine.azure, targetUrl, { chain, pointId }, (was) => passed(was, pointId, verified), signal)
  if (day !== undefined) await writeVerifiedDay(engine.azure, targetUrl, chain, day, signal)
}

function whatWasVerified({ level, choice }: VerifyJob, comparedBytes: number): Omit<Verified, 'at' | 'comparedBytes'> {
  // Where nothing was there to be read, only the lists were.
  if (comparedBytes === 0) return { level: 'structure' }
  if (choice.kind === 'sample') return { level, percent: choice.percent, seed: choice.seed }
  // A slice of a point says nothing of the rest of it.
  if (choice.kind === 'slices') return { level: 'sample', percent: (100 * choice.slices.length) / choice.count }
  return { level }
}

/** At every point that is concerned. Safe to run twice. */
export async function markSuspects(engine: Engine, { job, at, damaged, isBySource = false }: Pick<VerificationRecord, 'job' | 'at' | 'damaged' | 'isBySource'>, signal?: AbortSignal): Promise<void> {
  const { targetUrl, chain, pointId: foundIn } = job
  for (const { pointId, ranges } of damaged) {
    const found = { since: at, ranges: [...ranges], foundIn, ...(isBySource && { isBySource }) }
    await updateCheck(engine.azure, targetUrl, { chain, pointId }, (was) => suspected(was, pointId, found), signal)
  }
}

function digestsMissing(pointId: string, why: string): BackupError {
  return new BackupError({
    type: 'DigestsMissing',
    message: `point ${pointId} has no digests to compare with: ${why}; the next backup of its disk makes them anew, for the points from then on`,
    facts: { pointId },
  })
}
