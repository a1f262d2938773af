/**
 * Compares chunks with the digests of a point: of the point itself, or of a copy of it, wherever that lies.
 *
 * Only what the copy says that it holds is read; a chunk that holds nothing is zeros. A chunk that differs is read a second time before
 * it is said to: a read may have been damaged on the way. Changes nothing.
 */
import { coarsen, lengthOf, totalBytes, type ByteRange } from '../domain/byte-range.ts'
import { isSame, type Word64 } from '../domain/crc64-algebra.ts'
import { isChosen, type ChunkChoice } from '../domain/chunk-choice.ts'
import { CHUNK_BYTES, chunkAt, chunkCount, chunkIndexAt, rawOfEntry, type DigestEntry } from '../domain/digest-table.ts'
import type { PointCopy } from './compare-with-point.ts'
import { readSum } from './chunk-sums.ts'
import { chunkWorks } from './chunk-works.ts'
import type { DigestReader } from './digest-reader.ts'
import { runRequests } from './request-pool.ts'

export interface ChunkCheckState {
  /** Every chunk before it was checked. */
  readonly nextOffsetBytes: number
  readonly comparedBytes: number
  readonly comparedChunks: number
  /** Chunks that differ; a cover of them where they are many. */
  readonly differing: readonly ByteRange[]
}

export interface ChunkCheckOptions {
  /** Begins and ends where a chunk does. */
  readonly window: ByteRange
  readonly choice: ChunkChoice
  readonly resumeFrom?: ChunkCheckState | undefined
  readonly onProgress?: (state: ChunkCheckState) => void
  readonly signal?: AbortSignal | undefined
}

interface Check extends ByteRange {
  readonly held: readonly ByteRange[]
  readonly entry: DigestEntry | undefined
  readonly isRead: boolean
}

const MAX_REPORTED_RANGES = 256
const CHUNKS_IN_FLIGHT = 4

/** @throws BackupError PointNotFound where the table is gone. */
export async function checkChunks(reader: DigestReader, blobBytes: number, copy: PointCopy, options: ChunkCheckOptions): Promise<ChunkCheckState> {
  const { window, choice, signal } = options
  let state = options.resumeFrom ?? { nextOffsetBytes: window.startBytes, comparedBytes: 0, comparedChunks: 0, differing: [] }
  const differing = [...state.differing]
  const rest = { startBytes: state.nextOffsetBytes, endBytes: Math.min(window.endBytes, blobBytes) }
  if (rest.startBytes >= rest.endBytes) return state
  await runRequests(checksOf(reader, blobBytes, copy, rest, choice, signal), {
    concurrency: CHUNKS_IN_FLIGHT,
    signal,
    run: async (check, readSignal) => {
      // A chunk that has a digest and holds nothing is wrong without being read.
      const isRight = check.held.length > 0 && (!check.isRead || (await isEqual(check, copy, readSignal)))
      if (!isRight) differing.push({ startBytes: check.startBytes, endBytes: check.endBytes })
    },
    onDone: (check, watermarkBytes) => {
      state = {
        nextOffsetBytes: watermarkBytes,
        comparedBytes: state.comparedBytes + (check.isRead ? totalBytes(check.held) : 0),
        comparedChunks: state.comparedChunks + (check.isRead ? 1 : 0),
        differing: coarsen(differing, MAX_REPORTED_RANGES),
      }
      options.onProgress?.(state)
    },
  })
  return { ...state, nextOffsetBytes: rest.endBytes }
}

async function isEqual(check: Check, copy: PointCopy, signal: AbortSignal): Promise<boolean> {
  const wanted = rawOfEntry(check.entry, lengthOf(check), lengthOf(check))
  const sum = (): Promise<Word64> => readSum((range, readSignal) => copy.read(range, readSignal), check.held, check, signal)
  return isSame(await sum(), wanted) || isSame(await sum(), wanted)
}

/** Chunks that hold something, and those that should. */
async function* checksOf(
  reader: DigestReader,
  blobBytes: number,
  copy: PointCopy,
  window: ByteRange,
  choice: ChunkChoice,
  signal: AbortSignal | undefined,
): AsyncGenerator<Check> {
  let next = chunkIndexAt(window.startBytes)
  const end = Math.min(chunkCount(blobBytes), Math.ceil(window.endBytes / CHUNK_BYTES))
  const emptyBefore = async function* (index: number): AsyncGenerator<Check> {
    for (; next < index; next++) {
      const entry = await reader.entry(next, signal)
      if (entry !== undefined) yield { ...chunkAt(next, blobBytes), held: [], entry, isRead: isChosen(choice, next) }
    }
  }
  for await (const work of chunkWorks({ now: copy.allocated(window, signal), before: [] }, blobBytes)) {
    yield* emptyBefore(work.index)
    const entry = await reader.entry(work.index, signal)
    yield { startBytes: work.startBytes, endBytes: work.endBytes, held: work.written, entry, isRead: isChosen(choice, work.index) }
    next = work.index + 1
  }
  yield* emptyBefore(end)
}
