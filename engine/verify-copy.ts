/**
 * Compares Azure's copy of a snapshot with its source: page lists whole, and of the bytes a sample of chunks and
 * everything that only one of the two lists names. Both sides are read in their own region; nothing is changed.
 */
import { readSource } from '../azure/source-blob.ts'
import { coarsen, describeRanges, type ByteRange } from '../domain/byte-range.ts'
import { BackupError } from '../domain/failures.ts'
import { hash64 } from '../domain/hash64.ts'
import type { CopyVerification } from '../domain/manifest.ts'
import type { VerifyRule } from '../domain/policy.ts'
import { createSampler, seededRandom } from '../domain/sampler.ts'
import { sweep } from '../domain/sweep.ts'
import { compareBytes } from './compare-bytes.ts'
import type { Engine } from './engine.ts'

export interface CopyComparison {
  readonly sourceId: string
  readonly copyId: string
  /** Of the disk. */
  readonly sizeBytes: number
  readonly rule: VerifyRule
  /** Seeds the sample. */
  readonly runKey: string
}

const MAX_SUSPECTS = 256
const SAMPLE_BYTES = 64 * 1024

/** @throws BackupError VerificationFailed */
export async function verifyCopy(
  engine: Engine,
  { sourceId, copyId, sizeBytes, rule, runKey }: CopyComparison,
  options: { readonly onProgress?: (checkedBytes: number) => void; readonly signal?: AbortSignal | undefined } = {},
): Promise<CopyVerification> {
  const { signal, onProgress } = options
  // The footer of each export is Azure's own work, with a time of its own.
  const window = { startBytes: 0, endBytes: sizeBytes }
  const sourceUrl = await engine.exports.read(sourceId, signal, sizeBytes)
  const copyUrl = await engine.exports.read(copyId, signal, sizeBytes)
  const random = seededRandom(Number.parseInt(hash64(runKey).slice(0, 8), 16))
  const sampler = createSampler(rule.sampleChanged + rule.sampleUnchanged, SAMPLE_BYTES, random)
  let suspects: ByteRange[] = []
  const lists = {
    source: engine.pageLists.allocated({ url: sourceUrl, auth: 'sas' }, window, signal),
    copy: engine.pageLists.allocated({ url: copyUrl, auth: 'sas' }, window, signal),
  }
  for await (const { startBytes, endBytes, at } of sweep(lists)) {
    if (at.source !== undefined) sampler.offer({ startBytes, endBytes })
    if ((at.source === undefined) !== (at.copy === undefined)) suspects.push({ startBytes, endBytes })
    if (suspects.length > 2 * MAX_SUSPECTS) suspects = coarsen(suspects, MAX_SUSPECTS)
    onProgress?.(endBytes)
  }
  const ranges = [...suspects, ...sampler.chunks()]
  const { comparedBytes, differing } = await compareBytes(
    coarsen(ranges, ranges.length),
    (range, readSignal) => readSource(engine.azure, sourceUrl, range, readSignal),
    (range, readSignal) => readSource(engine.azure, copyUrl, range, readSignal),
    { signal, ...(onProgress && { onProgress }) },
  )
  if (differing.length === 0) return { result: 'passed', rounds: 1, writtenBytes: 0, comparedBytes }
  throw new BackupError({
    type: 'VerificationFailed',
    message: `snapshot ${copyId} differs from its source ${sourceId} at ${describeRanges(differing)}; no point was made, and the copy is deleted`,
    facts: { snapshotId: copyId },
  })
}
