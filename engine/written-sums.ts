/**
 * Sums up what a transfer writes, chunk by chunk, from the checksums of its requests, and leaves the sums in the digest table: so the
 * digest step need not read back what was just written.
 *
 * Only a help. A sum that is lost, or that does not cover what was written, is not believed later: then the bytes are read.
 */
import type { DigestBlob } from '../azure/digest-blob.ts'
import { lengthOf, PAGE_BYTES, type ByteRange } from '../domain/byte-range.ts'
import { rawOf, xor, ZERO, type Word64 } from '../domain/crc64-algebra.ts'
import { chunkAt, chunkIndexAt, ENTRIES_PER_PAGE, ENTRY_BYTES, placeInChunk, readEntry, writeEntry } from '../domain/digest-table.ts'
import { isFailure } from '../domain/failures.ts'
import type { TransferJob } from '../domain/transfer-job.ts'
import { digestBlobOf, raiseOrCreate } from './digest-blobs.ts'
import type { Engine } from './engine.ts'
import type { Flow } from './flow-control.ts'

type Basis = 'service-checksum' | 'source-stream'

interface ChunkSum {
  raw: Word64
  pages: number
  basis: Basis
  /** What is in the sum, by where it starts. */
  readonly pieces: Map<number, number>
}

/** Chunks that are whole before they are written to the table: one small write for 4 GiB. */
const CHUNKS_PER_WRITE = 1024
const LONGEST_WRITE_CHUNKS = 4096

export class WrittenSums {
  readonly #job: TransferJob
  readonly #table: DigestBlob
  readonly #flow: Flow
  readonly #signal: AbortSignal
  readonly #sums = new Map<number, ChunkSum>()
  /** Chunks below it are whole: nothing more of them will be written. */
  #wholeBelow = 0
  #mayRepeat = false
  #isOpen = false
  /** The digest step of this epoch has begun elsewhere, or the table is gone: sums come too late. */
  #isLate = false
  #isWriting = false
  #writing: Promise<void> = Promise.resolve()

  constructor(engine: Engine, job: TransferJob, signal: AbortSignal) {
    this.#job = job
    this.#table = digestBlobOf(engine, job)
    this.#flow = engine.flows.open(`${job.targetUrl}/${this.#table.name}`)
    this.#signal = signal
  }

  /** A piece was written. It lies within one chunk. */
  note(piece: ByteRange, checksum: Word64, basis: Basis): void {
    const index = chunkIndexAt(piece.startBytes)
    const sum = this.#sums.get(index) ?? { raw: ZERO, pages: 0, basis, pieces: new Map<number, number>() }
    if (this.#mayRepeat && overlaps(sum.pieces, piece)) return
    const chunk = chunkAt(index, this.#job.blobBytes)
    const raw = rawOf(checksum, lengthOf(piece))
    this.#sums.set(index, sum)
    sum.raw = xor(sum.raw, placeInChunk(raw, piece, chunk))
    sum.pages += lengthOf(piece) / PAGE_BYTES
    if (basis === 'service-checksum') sum.basis = basis
    sum.pieces.set(piece.startBytes, piece.endBytes)
  }

  /** The transfer starts over from its watermark: what was answered behind it may be sent again. */
  restarted(): void {
    this.#mayRepeat = true
  }

  /** Every byte before the watermark is written. */
  settle(watermarkBytes: number): void {
    this.#wholeBelow = chunkIndexAt(watermarkBytes)
    if (this.#sums.size < CHUNKS_PER_WRITE || this.#isWriting) return
    this.#isWriting = true
    this.#writing = this.#write().finally(() => {
      this.#isWriting = false
    })
    // Whoever ends the transfer hears of it.
    this.#writing.catch(() => undefined)
  }

  /** Resolves when all sums are in the table. @throws BackupError FencedOut */
  async finish(): Promise<void> {
    await this.#writing
    this.#wholeBelow = Infinity
    await this.#write()
  }

  async #write(): Promise<void> {
    const whole = [...this.#sums].filter(([index]) => index < this.#wholeBelow).sort(([one], [other]) => one - other)
    for (const [index] of whole) this.#sums.delete(index)
    if (whole.length === 0 || this.#isLate) return
    try {
      this.#isLate = !(await this.#open())
      for (const group of this.#isLate ? [] : groupsOf(whole)) await this.#writeGroup(group)
    } catch (error) {
      // Somebody deleted the table: the digest step makes it anew and reads the bytes.
      if (!isFailure(error, 'PointNotFound', 'TargetNotFound')) throw error
      this.#isLate = true
    }
  }

  /** @returns false where it is too late. */
  async #open(): Promise<boolean> {
    if (this.#isOpen) return true
    this.#isOpen = await raiseOrCreate(this.#table, this.#job.epoch, 'transfer', this.#signal)
    return this.#isOpen
  }

  /** Leaves what an earlier attempt of this run has found out and this one has not. */
  async #writeGroup(group: readonly (readonly [number, ChunkSum])[]): Promise<void> {
    const { epoch } = this.#job
    const first = Math.floor(group[0]![0] / ENTRIES_PER_PAGE) * ENTRIES_PER_PAGE
    const end = (Math.floor(group.at(-1)![0] / ENTRIES_PER_PAGE) + 1) * ENTRIES_PER_PAGE
    const range = { startBytes: first * ENTRY_BYTES, endBytes: end * ENTRY_BYTES }
    const entries = await this.#table.read(range, undefined, this.#signal)
    for (const [index, { raw, pages, basis }] of group) {
      const was = readEntry(entries, index - first)
      const isKnownBetter = was?.kind === 'written' && was.epoch === epoch && was.pages > pages
      if (!isKnownBetter) writeEntry(entries, index - first, { kind: 'written', raw, pages, basis, epoch })
    }
    const write = (): Promise<void> => this.#table.write(range.startBytes, entries, epoch, 'transfer', this.#signal)
    try {
      await this.#flow.send(lengthOf(range), write, this.#signal)
    } catch (error) {
      if (!isFailure(error, 'FencedOut')) throw error
      this.#isLate = !(await this.#table.raise(epoch, 'transfer', this.#signal))
      if (!this.#isLate) throw error
    }
  }
}

/** What one write can tell of: near chunks, in at most 64 KiB of the table. */
function groupsOf<Item extends readonly [number, unknown]>(sorted: readonly Item[]): Item[][] {
  const groups: Item[][] = []
  for (const item of sorted) {
    const group = groups.at(-1)
    const isNear = group !== undefined && item[0] - group.at(-1)![0] <= 2 * ENTRIES_PER_PAGE && item[0] - group[0]![0] < LONGEST_WRITE_CHUNKS
    if (isNear) group.push(item)
    else groups.push([item])
  }
  return groups
}

function overlaps(pieces: ReadonlyMap<number, number>, { startBytes, endBytes }: ByteRange): boolean {
  for (const [start, end] of pieces) if (start < endBytes && startBytes < end) return true
  return false
}
