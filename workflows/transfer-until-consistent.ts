/**
 * Transfer and verify, in turn, until the base blob equals the source snapshot: what verify names is transferred again. After a
 * bounded number of rounds the run fails with the ranges named, and no point is made.
 */
import { ApplicationFailure } from '@temporalio/workflow'
import { coarsen, describeRanges, type ByteRange } from '../domain/byte-range.ts'
import { cutIntoExtents } from '../domain/extents.ts'
import type { FailureType } from '../domain/failures.ts'
import type { Movement, Verification } from '../domain/manifest.ts'
import { mapConcurrent } from '../domain/map-concurrent.ts'
import type { VerifyRule } from '../domain/policy.ts'
import type { TransferJob } from '../domain/transfer-job.ts'
import { dataActivities } from './activity-options.ts'
import type { TransferCheckpoint } from './messages.ts'
import type { RunProgress } from './run-progress.ts'

/** What one transfer answers. */
type Done = Pick<TransferCheckpoint, 'movedBytes' | 'requests' | 'streamedBytes' | 'savedBytes'>

interface Moved {
  readonly movedBytes: number
  readonly requests: number
  readonly movement: Movement
}

export interface ConsistentTransfer extends Moved {
  readonly verification: Verification
  /** A cover of what was transferred a second time. */
  readonly repaired: readonly ByteRange[]
  /** Of those, chunks that differed although nothing changed there since the last point. */
  readonly rotten: readonly ByteRange[]
}

/** A blob takes 60 MiB/s whoever writes it, and each extent touches all stripes; a few at a time hide each other's ends. */
const EXTENTS_IN_FLIGHT = 8
/** What is carried in history from round to round; a superset does no harm. */
const MAX_REPAIRED_RANGES = 512

export async function transferUntilConsistent(job: TransferJob, rule: VerifyRule, progress: RunProgress): Promise<ConsistentTransfer> {
  const data = dataActivities()
  let totals = await transferAll(job, progress)
  let repaired: ByteRange[] = []
  let rotten: ByteRange[] = []
  for (let round = 1; ; round++) {
    progress.enter('verify', { round })
    const report = await data.verifyBaseBlob.executeWithOptions({ summary: `verify, round ${round}` }, [{ job, rule, round, repaired }])
    const { mismatches, writtenBytes, comparedBytes } = report
    if (mismatches.length === 0) return { ...totals, repaired, rotten, verification: { result: 'passed', rounds: round, writtenBytes, comparedBytes } }
    if (round >= rule.maxRounds) throw notConsistent(job, round, mismatches)

    progress.enter('transfer', { round: round + 1 })
    const window = { startBytes: 0, endBytes: job.blobBytes }
    const summary = `transfer ${mismatches.length} ranges again`
    const again = await data.transferExtent.executeWithOptions({ summary }, [{ job, extentIndex: 0, window, repair: mismatches }])
    totals = add(job, totals, again)
    repaired = coarsen([...repaired, ...mismatches], MAX_REPAIRED_RANGES)
    rotten = coarsen([...rotten, ...(report.rotten ?? [])], MAX_REPAIRED_RANGES)
  }
}

async function transferAll(job: TransferJob, progress: RunProgress): Promise<Moved> {
  const data = dataActivities()
  const extents = cutIntoExtents(job.blobBytes)
  let totals: Moved = { movedBytes: 0, requests: 0, movement: movementOf(job, 0) }
  progress.update({ extentCount: extents.length, movement: totals.movement })
  await mapConcurrent(extents, EXTENTS_IN_FLIGHT, async ({ index, count, startBytes, endBytes }) => {
    const summary = `transfer extent ${index + 1} of ${count}`
    const done = await data.transferExtent.executeWithOptions({ summary }, [{ job, extentIndex: index, window: { startBytes, endBytes } }])
    totals = add(job, totals, done)
    // What need not be moved is no part of what is left.
    const leftBytes = Math.max(0, (progress.now.totalBytes ?? 0) - (done.savedBytes ?? 0))
    progress.update({ movedBytes: totals.movedBytes, totalBytes: leftBytes, movement: totals.movement, extentsDone: progress.now.extentsDone + 1 })
  })
  return totals
}

function add(job: TransferJob, totals: Moved, more: Done): Moved {
  const isStreamed = totals.movement.transfer === 'stream'
  const { transfer, streamCause } = isStreamed ? totals.movement : movementOf(job, more.streamedBytes ?? 0)
  const savedBytes = (totals.movement.savedBytes ?? 0) + (more.savedBytes ?? 0)
  return {
    movedBytes: totals.movedBytes + more.movedBytes,
    requests: totals.requests + more.requests,
    movement: {
      ...(transfer !== undefined && { transfer }),
      ...(streamCause !== undefined && { streamCause }),
      ...(savedBytes > 0 && { savedBytes }),
    },
  }
}

function movementOf({ mode = 'copy' }: TransferJob, streamedBytes: number): Movement {
  if (mode === 'stream') return { transfer: 'stream', streamCause: 'Requested' }
  return streamedBytes > 0 ? { transfer: 'stream', streamCause: 'ServerSideCopyRefused' } : { transfer: 'copy' }
}

function notConsistent(job: TransferJob, rounds: number, mismatches: readonly ByteRange[]): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `base blob ${job.baseBlobName} in ${job.targetUrl} still differs from ${job.toSnapshotId} after ${rounds} rounds, ` +
      `at ${describeRanges(mismatches)}; no point was made, older points are untouched. The next run reads these ranges again`,
    'VerificationFailed' satisfies FailureType,
  )
}
