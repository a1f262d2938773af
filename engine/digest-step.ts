/**
 * Brings the digest table forward, 1 GiB of the disk after another: the chunks that changed get their new digests, and what an interrupted
 * run has left in the table is replaced.
 */
import type { DigestBlob } from '../azure/digest-blob.ts'
import { readSource } from '../azure/source-blob.ts'
import { clip, type ByteRange } from '../domain/byte-range.ts'
import { xor, ZERO } from '../domain/crc64-algebra.ts'
import {
  CHUNK_BYTES,
  chunkAt,
  DIGEST_BASES,
  digestEntryOf,
  ENTRIES_PER_PAGE,
  ENTRY_BYTES,
  rawOfEntry,
  readEntry,
  TABLE_BYTES,
  writeEntry,
  type DigestBasis,
  type DigestEntry,
} from '../domain/digest-table.ts'
import type { TransferJob } from '../domain/transfer-job.ts'
import { pagesOf, readBytesOf, readSum } from './chunk-sums.ts'
import { chunkWorks, type ChunkWork } from './chunk-works.ts'
import { ChecksumTrust, type ToldSum } from './checksum-trust.ts'
import type { ReadRange } from './compare-bytes.ts'
import { DigestReader } from './digest-reader.ts'
import type { DigestedPoint } from './digested-point.ts'
import type { Engine } from './engine.ts'
import { runRequests } from './request-pool.ts'
import { baseBlobOf, type StripedBlob } from './striped-blob.ts'

export interface DigestOptions {
  /** Written more than once in this run: the checksums of the transfer are not believed there. */
  readonly repaired: readonly ByteRange[]
  readonly onProgress?: (digestedBytes: number) => void
  readonly signal?: AbortSignal | undefined
}

export interface DigestReport {
  readonly basis: DigestBasis
  readonly changedChunks: number
  /** Bytes of the base blob and of the last point that had to be read. */
  readonly readBytes: number
  /** Bytes that were read to see whether the service tells the checksums of what it wrote. */
  readonly probedBytes: number
  /** Bytes of the table that were written. */
  readonly writtenBytes: number
  /** No table of the last point was found, so everything was read. */
  readonly isRebuilt: boolean
}

/** Chunks that are worked on at a time: 1 GiB of disk, eight pages of the table. */
const GROUP_CHUNKS = 256
const GROUP_BYTES = GROUP_CHUNKS * CHUNK_BYTES
/** Enough to fill the line of a blob; each holds its 4 MiB twice while it is put together. */
const CHUNKS_IN_FLIGHT = 4

export class DigestStep {
  readonly #engine: Engine
  readonly #job: TransferJob
  readonly #table: DigestBlob
  readonly #last: DigestedPoint | undefined
  readonly #base: StripedBlob
  /** The base blob as it was at the last point. */
  readonly #baseAtLast: StripedBlob | undefined
  readonly #options: DigestOptions
  readonly #present: DigestReader
  readonly #before: DigestReader | undefined
  readonly #trust: ChecksumTrust
  #basis: DigestBasis = 'source-stream'
  #changedChunks = 0
  #readBytes = 0
  #writtenBytes = 0

  constructor(engine: Engine, job: TransferJob, table: DigestBlob, last: DigestedPoint | undefined, options: DigestOptions) {
    this.#engine = engine
    this.#job = job
    this.#table = table
    this.#last = last
    this.#options = options
    this.#present = new DigestReader(table, undefined)
    this.#before = last && new DigestReader(table, last.table)
    this.#base = baseBlobOf(engine, job)
    this.#baseAtLast = last && this.#base.at(last.snapshots)
    const readFromSource: ReadRange = async (range, signal) => {
      return readSource(engine.azure, await engine.exports.read(job.toSnapshotId, signal, job.blobBytes), range, signal)
    }
    this.#trust = new ChecksumTrust((range, signal) => this.#base.read(range, signal), readFromSource)
  }

  async run(): Promise<void> {
    const works = this.#works()[Symbol.asyncIterator]()
    const stale = this.#staleGroups()[Symbol.asyncIterator]()
    try {
      let work = await works.next()
      let staleGroup = await stale.next()
      while (work.done !== true || staleGroup.done !== true) {
        const group = Math.min(work.done === true ? Infinity : groupOf(work.value), staleGroup.done === true ? Infinity : staleGroup.value)
        const ofGroup: ChunkWork[] = []
        for (; work.done !== true && groupOf(work.value) === group; work = await works.next()) ofGroup.push(work.value)
        while (staleGroup.done !== true && staleGroup.value <= group) staleGroup = await stale.next()
        await this.#bringForward(group, ofGroup)
        this.#options.onProgress?.((group + 1) * GROUP_BYTES)
      }
    } finally {
      await works.return?.(undefined)
      await stale.return?.(undefined)
    }
  }

  report(): Omit<DigestReport, 'isRebuilt'> {
    const { probedBytes } = this.#trust
    return { basis: this.#basis, changedChunks: this.#changedChunks, readBytes: this.#readBytes, probedBytes, writtenBytes: this.#writtenBytes }
  }

  #works(): AsyncGenerator<ChunkWork> {
    const { blobBytes } = this.#job
    const { signal } = this.#options
    const window = { startBytes: 0, endBytes: blobBytes }
    const now = this.#base.allocated(window, signal)
    if (this.#last === undefined || this.#baseAtLast === undefined) return chunkWorks({ now, before: [] }, blobBytes)
    const changed = this.#base.changedSince(this.#last.snapshots, window, signal)
    return chunkWorks({ changed, now, before: this.#baseAtLast.allocated(window, signal) }, blobBytes)
  }

  /** Where the table is not what it was at the last point: it may hold what an interrupted run, or this one, has left there. */
  async *#staleGroups(): AsyncGenerator<number> {
    const { pageLists } = this.#engine
    const { signal } = this.#options
    const window = { startBytes: 0, endBytes: TABLE_BYTES }
    const source = this.#table.pageListSource()
    const pages = this.#last === undefined ? pageLists.allocated(source, window, signal) : pageLists.blobDiff(source, this.#last.table, window, signal)
    let next = 0
    for await (const { startBytes, endBytes } of pages) {
      const end = Math.ceil(endBytes / (GROUP_CHUNKS * ENTRY_BYTES))
      for (next = Math.max(next, Math.floor(startBytes / (GROUP_CHUNKS * ENTRY_BYTES))); next < end; next++) yield next
    }
  }

  async #bringForward(group: number, works: readonly ChunkWork[]): Promise<void> {
    const { signal } = this.#options
    const first = group * GROUP_CHUNKS
    const present = await this.#present.bytes(first, GROUP_CHUNKS, signal)
    const entries = Buffer.alloc(present.length)
    ;(await this.#before?.bytes(first, GROUP_CHUNKS, signal))?.copy(entries)
    await this.#lengthenTail(first, entries)
    const isServiceBelieved = await this.#trust.deserves(this.#toldSums(works, present, first), signal ?? new AbortController().signal)
    await runRequests(works, {
      concurrency: CHUNKS_IN_FLIGHT,
      signal,
      run: async (work, abortSignal) => {
        const at = work.index - first
        const found = readEntry(present, at)
        const digest = await this.#digest(work, found, readEntry(entries, at), isServiceBelieved, abortSignal)
        writeEntry(entries, at, digest)
      },
      onDone: () => {
        this.#changedChunks += 1
      },
    })
    await this.#write(first, entries, present)
  }

  #toldSums(works: readonly ChunkWork[], present: Buffer, first: number): ToldSum[] {
    return works.flatMap((work) => {
      const told = this.#toldOf(work, readEntry(present, work.index - first))
      return told === undefined ? [] : [{ work, raw: told.raw }]
    })
  }

  /** What this run's transfer has left of the chunk, where it covers all that was written. */
  #toldOf(work: ChunkWork, found: DigestEntry | undefined): Extract<DigestEntry, { kind: 'written' }> | undefined {
    const isWhole = found?.kind === 'written' && found.epoch === this.#job.epoch && found.pages === pagesOf(work.written)
    return isWhole && !this.#isRepaired(work) ? found : undefined
  }

  #isRepaired(work: ChunkWork): boolean {
    return this.#options.repaired.some((range) => clip(range, work) !== undefined)
  }

  /** @param before as of the last point, its tail already lengthened. */
  async #digest(
    work: ChunkWork,
    found: DigestEntry | undefined,
    before: DigestEntry | undefined,
    isServiceBelieved: boolean,
    signal: AbortSignal,
  ): Promise<DigestEntry | undefined> {
    const { epoch } = this.#job
    const lengthBytes = work.endBytes - work.startBytes
    // An earlier attempt of this step got so far.
    if (found?.kind === 'digest' && found.epoch === epoch && !this.#isRepaired(work)) {
      this.#weaken('target-read')
      return found
    }
    let raw = ZERO
    const told = this.#toldOf(work, found)
    if (told !== undefined && (isServiceBelieved || told.basis === 'source-stream')) {
      this.#weaken(told.basis)
      raw = told.raw
    } else if (work.written.length > 0) {
      this.#weaken('target-read')
      this.#readBytes += readBytesOf(work.written)
      raw = await readSum((range, readSignal) => this.#base.read(range, readSignal), work.written, work, signal)
    }
    const last = this.#baseAtLast
    if (!work.keepsPages || before === undefined || last === undefined) return digestEntryOf(raw, lengthBytes, epoch)
    this.#readBytes += readBytesOf(work.replaced)
    const replaced = await readSum((range, readSignal) => last.read(range, readSignal), work.replaced, work, signal)
    return digestEntryOf(xor(xor(rawOfEntry(before, lengthBytes, lengthBytes), replaced), raw), lengthBytes, epoch)
  }

  /** The last chunk of a blob that has grown is longer now, whether anything in it was written or not. */
  async #lengthenTail(first: number, entries: Buffer): Promise<void> {
    const { blobBytes, epoch } = this.#job
    const wasBytes = this.#last?.blobBytes ?? blobBytes
    if (wasBytes >= blobBytes) return
    const index = Math.ceil(wasBytes / CHUNK_BYTES) - 1
    if (index < first || index >= first + GROUP_CHUNKS) return
    const { startBytes, endBytes } = chunkAt(index, blobBytes)
    const raw = rawOfEntry(readEntry(entries, index - first), wasBytes - startBytes, endBytes - startBytes)
    writeEntry(entries, index - first, digestEntryOf(raw, endBytes - startBytes, epoch))
  }

  /** Writes the pages of the table that are not yet so. */
  async #write(first: number, entries: Buffer, present: Buffer): Promise<void> {
    const pageBytes = ENTRIES_PER_PAGE * ENTRY_BYTES
    const isDifferent = (page: number): boolean =>
      entries.compare(present, page * pageBytes, (page + 1) * pageBytes, page * pageBytes, (page + 1) * pageBytes) !== 0
    const pages = Array.from({ length: entries.length / pageBytes }, (_, page) => page).filter(isDifferent)
    if (pages.length === 0) return
    const { targetUrl, epoch } = this.#job
    const { signal } = this.#options
    const range = { startBytes: pages[0]! * pageBytes, endBytes: (pages.at(-1)! + 1) * pageBytes }
    const data = entries.subarray(range.startBytes, range.endBytes)
    const atBytes = first * ENTRY_BYTES + range.startBytes
    const flow = this.#engine.flows.open(`${targetUrl}/${this.#table.name}`)
    await flow.send(data.length, () => this.#table.write(atBytes, data, epoch, 'digest', signal), signal ?? new AbortController().signal)
    this.#writtenBytes += data.length
  }

  #weaken(basis: DigestBasis): void {
    if (DIGEST_BASES.indexOf(basis) > DIGEST_BASES.indexOf(this.#basis)) this.#basis = basis
  }
}

function groupOf({ index }: ChunkWork): number {
  return Math.floor(index / GROUP_CHUNKS)
}
