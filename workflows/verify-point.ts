/**
 * Compares a recovery point with its digests, and at level `source` its source snapshot as well:
 *
 *     plan -> verify (extents) -> record
 *
 * Where it differs, every point that shares the damaged pages is marked as suspect, and the workflow fails with `PointSuspect`: so it shows
 * wherever runs are looked at. The next backup reads the ranges again from the source. Nothing else is changed.
 */
import { ApplicationFailure, CancellationScope, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import { coarsen, describeRanges, type ByteRange } from '../domain/byte-range.ts'
import { cutIntoExtents } from '../domain/extents.ts'
import type { FailureType } from '../domain/failures.ts'
import { hash64 } from '../domain/hash64.ts'
import { mapConcurrent } from '../domain/map-concurrent.ts'
import type { ChunkCheckState, VerifyJob } from '../activities/verify-activities.ts'
import { control, dataActivities, finishing } from './activity-options.ts'
import { describeSuspects } from './describe-suspects.ts'
import { VERIFY_PHASES, type VerifyPointInput, type VerifyPointResult } from './messages.ts'
import { endingAsCancelled } from './own-cancel.ts'
import { trackProgress, type RunProgress } from './run-progress.ts'
import { recoveryPointAttribute } from './search-attributes.ts'

const EXTENTS_IN_FLIGHT = 2
const MAX_REPORTED_RANGES = 256

export function verifyPoint(input: VerifyPointInput): Promise<VerifyPointResult> {
  return endingAsCancelled(() => verify(input))
}

async function verify(input: VerifyPointInput): Promise<VerifyPointResult> {
  const { runId, startTime } = workflowInfo()
  const seed = input.seed ?? Number.parseInt(hash64(runId).slice(0, 8), 16)
  const progress = trackProgress(VERIFY_PHASES)
  progress.enter('plan')
  const planned = await control.planVerification.executeWithOptions({ summary: 'find the point and its digests' }, [{ ...input, seed }])
  const { job, point } = planned
  upsertSearchAttributes([{ key: recoveryPointAttribute, value: point.id }])

  progress.enter('verify', { pointId: point.id })
  const checked = await checkPoint(job, progress)
  // What differs from its digests already is damaged, whatever the source says.
  const source = checked.differing.length === 0 ? await checkSource(job, progress) : undefined
  const differing = source?.differing ?? checked.differing
  const isBySource = source !== undefined && source.differing.length > 0
  const damage = { job, differing, ...(isBySource && { isBySource }) }
  const damaged = differing.length === 0 ? [] : await dataActivities('verify').traceDamage.executeWithOptions({ summary: 'find the points that share the damage' }, [damage])

  progress.enter('record')
  const { comparedBytes, comparedChunks } = checked
  const record = { job, at: startTime.toISOString(), comparedBytes, damaged, ...(isBySource && { isBySource }), ...(input.cycle !== undefined && { day: input.cycle.day }) }
  await finishing.recordVerification.executeWithOptions({ summary: damaged.length === 0 ? 'passed' : `mark ${damaged.length} points as suspect` }, [record])
  progress.enter(damaged.length === 0 ? 'done' : 'failed')
  if (damaged.length === 0) {
    return { point, level: job.level, choice: job.choice, comparedBytes, comparedChunks, ...(source && { comparedSourceBytes: source.comparedBytes }) }
  }
  const ids = damaged.map(({ pointId }) => pointId)
  const other = isBySource ? `its source snapshot ${job.sourceSnapshotId}` : 'its digests'
  throw ApplicationFailure.create({
    type: 'PointSuspect' satisfies FailureType,
    nonRetryable: true,
    message:
      `point ${point.id} differs from ${other} at ${describeRanges(differing)}; ${describeSuspects(ids)}. ` +
      `The next backup reads these ranges again from the source, and later points are right`,
    details: [{ pointId: point.id, suspects: ids, comparedBytes }],
  })
}

/** What was compared, and a cover of what differs. */
type Checked = Pick<ChunkCheckState, 'comparedBytes' | 'comparedChunks' | 'differing'>

function checkPoint(job: VerifyJob, progress: RunProgress): Promise<Checked> {
  return overExtents(job, progress, job.level, (window, summary) => dataActivities('verify').verifyExtent.executeWithOptions({ summary }, [{ job, window }]))
}

/** @returns undefined where it is not asked for. */
async function checkSource(job: VerifyJob, progress: RunProgress): Promise<Checked | undefined> {
  const { sourceSnapshotId: snapshotId } = job
  if (snapshotId === undefined) return undefined
  try {
    return await overExtents(job, progress, 'source snapshot', (window, summary) =>
      dataActivities('verify').verifySourceExtent.executeWithOptions({ summary }, [{ job, snapshotId, window }]),
    )
  } finally {
    await CancellationScope.nonCancellable(() => finishing.endSnapshotAccess.executeWithOptions({ summary: 'end the access to the source' }, [{ snapshotId }]))
  }
}

async function overExtents(
  job: VerifyJob,
  progress: RunProgress,
  what: string,
  check: (window: ByteRange, summary: string) => Promise<ChunkCheckState>,
): Promise<Checked> {
  const extents = cutIntoExtents(job.content.blobBytes)
  progress.update({ extentCount: extents.length, extentsDone: 0 })
  const checked = await mapConcurrent(extents, EXTENTS_IN_FLIGHT, async ({ index, count, startBytes, endBytes }) => {
    const done = await check({ startBytes, endBytes }, `verify extent ${index + 1} of ${count}, ${what}`)
    progress.update({ movedBytes: progress.now.movedBytes + done.comparedBytes, extentsDone: progress.now.extentsDone + 1 })
    return done
  })
  return {
    comparedBytes: checked.reduce((sum, { comparedBytes }) => sum + comparedBytes, 0),
    comparedChunks: checked.reduce((sum, { comparedChunks }) => sum + comparedChunks, 0),
    differing: coarsen(checked.flatMap((one) => one.differing), MAX_REPORTED_RANGES),
  }
}
