/**
 * Whether the checksums that a storage service tells are those of what it wrote. They are documented (Put Page From URL), but a digest
 * that is wrong would deny a good disk at the restore; so of every GiB that was written one chunk is read back.
 *
 * Where the chunk is not as told, the source says who is wrong. If the base blob holds what the source does, the service told something
 * else: it is not believed in that run, and bytes are read instead. If not, another run has written there since, or the chunk was damaged.
 */
import { GIB, totalBytes } from '../domain/byte-range.ts'
import { BackupError } from '../domain/failures.ts'
import { isSame, type Word64 } from '../domain/crc64-algebra.ts'
import type { ChunkWork } from './chunk-works.ts'
import { readBytesOf, readSum } from './chunk-sums.ts'
import type { ReadRange } from './compare-bytes.ts'

/** A chunk, and the sum of what was written to it as the service told it, or as it was streamed. */
export interface ToldSum {
  readonly work: ChunkWork
  readonly raw: Word64
}

export class ChecksumTrust {
  readonly #readBase: ReadRange
  readonly #readSource: ReadRange
  #isRefuted = false
  /** The first chunk of all is read back, too. */
  #unprobedBytes = GIB
  #probedBytes = 0

  constructor(readBase: ReadRange, readSource: ReadRange) {
    this.#readBase = readBase
    this.#readSource = readSource
  }

  get probedBytes(): number {
    return this.#probedBytes
  }

  /** Whether these sums may be believed. @throws BackupError VerificationFailed where the base blob does not hold what was written to it. */
  async deserves(told: readonly ToldSum[], signal: AbortSignal): Promise<boolean> {
    const [first] = told
    if (this.#isRefuted || first === undefined) return !this.#isRefuted
    this.#unprobedBytes += totalBytes(told.flatMap(({ work }) => work.written))
    if (this.#unprobedBytes < GIB) return true
    this.#unprobedBytes = 0
    const { work, raw } = first
    const held = await this.#sumOf(this.#readBase, work, signal)
    if (isSame(held, raw)) return true
    if (!isSame(held, await this.#sumOf(this.#readSource, work, signal))) throw notAsWritten(work)
    this.#isRefuted = true
    return false
  }

  #sumOf(read: ReadRange, work: ChunkWork, signal: AbortSignal): Promise<Word64> {
    this.#probedBytes += readBytesOf(work.written)
    return readSum(read, work.written, work, signal)
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
