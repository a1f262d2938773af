/**
 * Whether the checksums that a storage service tells are those of what it wrote. They are documented (Put Page From URL), but a digest
 * that is wrong would deny a good disk at the restore; so of every GiB that was written one chunk is read back.
 *
 * A service that tells something else is not believed in that run, and bytes are read instead. Where one chunk alone is
 * not as told, the chunk is at fault.
 */
import { BackupError } from '../domain/failures.ts'
import type { Word64 } from '../domain/crc64-algebra.ts'
import type { ChunkWork } from './chunk-works.ts'
import { readBytesOf, readSum } from './chunk-sums.ts'
import type { ReadRange } from './compare-bytes.ts'

/** A chunk, and the sum of what was written to it as the service told it. */
export interface ToldSum {
  readonly work: ChunkWork
  readonly raw: Word64
}

export class ChecksumTrust {
  readonly #read: ReadRange
  #isRefuted = false
  #probedBytes = 0

  constructor(read: ReadRange) {
    this.#read = read
  }

  get probedBytes(): number {
    return this.#probedBytes
  }

  /** Whether these sums may be believed. @throws BackupError VerificationFailed where the base blob lost what was written to it. */
  async deserves(told: readonly ToldSum[], signal: AbortSignal): Promise<boolean> {
    if (this.#isRefuted) return false
    const [first, second] = told
    if (first === undefined || (await this.#isAsTold(first, signal))) return true
    if (second !== undefined && (await this.#isAsTold(second, signal))) throw notAsWritten(first.work)
    this.#isRefuted = true
    return false
  }

  async #isAsTold({ work, raw }: ToldSum, signal: AbortSignal): Promise<boolean> {
    this.#probedBytes += readBytesOf(work.written)
    const sum = await readSum(this.#read, work.written, work, signal)
    return sum.high === raw.high && sum.low === raw.low
  }
}

function notAsWritten({ startBytes, endBytes }: ChunkWork): BackupError {
  return new BackupError({
    type: 'VerificationFailed',
    message:
      `the base blob does not hold in [${startBytes}, ${endBytes}) what the storage service said that it wrote there; ` +
      'no point was made, older points are untouched. The next run reads what this one has written again from the source',
    facts: { startBytes, endBytes },
  })
}
