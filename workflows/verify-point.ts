/**
 * Compares a recovery point with its digests:
 *
 *     plan -> verify (extents) -> record
 *
 * Where it differs, every point that shares the damaged pages is marked as suspect, and the workflow fails with `PointSuspect`: so it shows
 * wherever runs are looked at. The next backup reads the ranges again from the source. Nothing else is changed.
 */
import { ApplicationFailure, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import { coarsen, describeRanges } from '../domain/byte-range.ts'
import { cutIntoExtents } from '../domain/extents.ts'
import type { FailureType } from '../domain/failures.ts'
import { hash64 } from '../domain/hash64.ts'
import { control, dataActivities } from './activity-options.ts'
import { mapConcurrent } from './map-concurrent.ts'
import { VERIFY_PHASES, type VerifyPointInput, type VerifyPointResult } from './messages.ts'
import { trackProgress } from './run-progress.ts'
import { recoveryPointAttribute } from './search-attributes.ts'

const EXTENTS_IN_FLIGHT = 2
const MAX_REPORTED_RANGES = 256

export async function verifyPoint(input: VerifyPointInput): Promise<VerifyPointResult> {
  const { runId, startTime } = workflowInfo()
  const seed = input.seed ?? Number.parseInt(hash64(runId).slice(0, 8), 16)
  const progress = trackProgress(VERIFY_PHASES)
  progress.enter('plan')
  const planned = await control.planVerification.executeWithOptions({ summary: 'find the point and its digests' }, [{ ...input, seed }])
  const { job, point } = planned
  upsertSearchAttributes([{ key: recoveryPointAttribute, value: point.id }])

  progress.enter('verify', { pointId: point.id })
  const extents = cutIntoExtents(job.content.blobBytes)
  progress.update({ extentCount: extents.length })
  const checked = await mapConcurrent(extents, EXTENTS_IN_FLIGHT, async ({ index, count, startBytes, endBytes }) => {
    const summary = `verify extent ${index + 1} of ${count}, ${job.level}`
    const done = await dataActivities().verifyExtent.executeWithOptions({ summary }, [{ job, window: { startBytes, endBytes } }])
    progress.update({ movedBytes: progress.now.movedBytes + done.comparedBytes, extentsDone: progress.now.extentsDone + 1 })
    return done
  })
  const comparedBytes = checked.reduce((sum, { comparedBytes: bytes }) => sum + bytes, 0)
  const comparedChunks = checked.reduce((sum, { comparedChunks: chunks }) => sum + chunks, 0)
  const differing = coarsen(checked.flatMap((one) => one.differing), MAX_REPORTED_RANGES)
  const damaged = differing.length === 0 ? [] : await dataActivities().traceDamage.executeWithOptions({ summary: 'find the points that share the damage' }, [{ job, differing }])

  progress.enter('record')
  const record = { job, at: startTime.toISOString(), comparedBytes, damaged, ...(input.cycle !== undefined && { day: input.cycle.day }) }
  await control.recordVerification.executeWithOptions({ summary: damaged.length === 0 ? 'passed' : `mark ${damaged.length} points as suspect` }, [record])
  progress.enter(damaged.length === 0 ? 'done' : 'failed')
  if (damaged.length === 0) return { point, level: job.level, choice: job.choice, comparedBytes, comparedChunks }
  const ids = damaged.map(({ pointId }) => pointId)
  throw ApplicationFailure.create({
    type: 'PointSuspect' satisfies FailureType,
    nonRetryable: true,
    message:
      `point ${point.id} differs from its digests at ${describeRanges(differing)}; marked as suspect: ${ids.slice(0, 10).join(', ')}` +
      `${ids.length > 10 ? ` and ${ids.length - 10} more` : ''}. The next backup reads these ranges again from the source, and later points are right`,
    details: [{ pointId: point.id, suspects: ids, comparedBytes }],
  })
}
