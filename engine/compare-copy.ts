/**
 * Compares a copy of a recovery point with the point, as thoroughly as can be without reading the point a second time: every byte
 * with the digests of the point, where it has them; else the page lists whole and a sample of the bytes, with the point itself.
 */
import { coarsen } from '../domain/byte-range.ts'
import { isFailure } from '../domain/failures.ts'
import { compareWithDigests } from './compare-with-digests.ts'
import { compareWithPoint, type CompareOptions, type CopyReport, type PointCopy } from './compare-with-point.ts'
import type { Engine } from './engine.ts'
import type { PointContent } from './restore-job.ts'

const MAX_REPORTED_RANGES = 256

export async function compareCopy(engine: Engine, point: PointContent, copy: PointCopy, options: CompareOptions = {}): Promise<CopyReport> {
  if (point.digests === undefined) return compareWithPoint(engine, point, copy, options)
  try {
    const { comparedBytes, mismatches } = await compareWithDigests(engine, point, point.digests, copy, options)
    return { comparedBytes, mismatches: coarsen(mismatches, MAX_REPORTED_RANGES) }
  } catch (error) {
    // Somebody deleted the table; the point itself is still there, or says that it is not.
    if (!isFailure(error, 'PointNotFound')) throw error
    return compareWithPoint(engine, point, copy, options)
  }
}
