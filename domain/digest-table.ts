/**
 * The digest table of a chain: for each 4 MiB chunk of the disk's address space 16 bytes, the CRC-64/NVME of the chunk and the epoch
 * of the run that last changed it. The last chunk of a blob, which holds the VHD footer, is as long as the blob reaches.
 *
 *     byte 0   checksum, least significant byte first, as `x-ms-content-crc64` has it
 *     byte 8   64 bits, least significant byte first: kind (2 bits), pages (14), epoch (48)
 *
 * A chunk of zeros is 16 zero bytes, so the table of an empty disk is empty. While a run goes on, an entry may hold the raw sum of
 * what that run has written to the chunk (`written`), zeros elsewhere, and of how many pages that is: the run's last step turns it
 * into a digest. It is believed for the epoch and the number of pages that it names, else the bytes are read.
 */
import { MAX_WRITE_BYTES, normalize, PAGE_BYTES, TIB, type ByteRange } from './byte-range.ts'
import { appendZeros, checksumOf, rawOf, ZERO, type Word64 } from './crc64-algebra.ts'

export const CHUNK_BYTES = MAX_WRITE_BYTES
export const DIGEST_ALGORITHM = 'CRC-64/NVME'
export const ENTRY_BYTES = 16
export const ENTRIES_PER_PAGE = PAGE_BYTES / ENTRY_BYTES

/** Room for a disk of 64 TiB, twice the largest; what is not written costs nothing. */
export const TABLE_BYTES = ((64 * TIB) / CHUNK_BYTES) * ENTRY_BYTES

/** What the digests of a run vouch for, best first. */
export const DIGEST_BASES = ['source-stream', 'service-checksum', 'target-read'] as const
/**
 * `source-stream`: of the bytes that the worker read from the source. `service-checksum`: of what the storage service says that it wrote.
 * `target-read`: of what was read back from the base blob.
 */
export type DigestBasis = (typeof DIGEST_BASES)[number]

/** A table as it was when a point was sealed. */
export interface DigestTableRef {
  readonly name: string
  /** The value of `x-ms-snapshot`. */
  readonly snapshot: string
}

export type DigestEntry =
  | { readonly kind: 'digest'; readonly checksum: Word64; readonly epoch: number }
  /** What one run has written to the chunk so far. */
  | { readonly kind: 'written'; readonly raw: Word64; readonly pages: number; readonly basis: 'service-checksum' | 'source-stream'; readonly epoch: number }

const KINDS = { digest: 1, 'service-checksum': 2, 'source-stream': 3 } as const

export function chunkIndexAt(offsetBytes: number): number {
  return Math.floor(offsetBytes / CHUNK_BYTES)
}

export function chunkCount(blobBytes: number): number {
  return Math.ceil(blobBytes / CHUNK_BYTES)
}

export function chunkAt(index: number, blobBytes: number): ByteRange {
  return { startBytes: index * CHUNK_BYTES, endBytes: Math.min((index + 1) * CHUNK_BYTES, blobBytes) }
}

/** The chunks that the ranges touch, as sorted and disjoint ranges. */
export function wholeChunks(ranges: Iterable<ByteRange>, blobBytes: number): ByteRange[] {
  const widened = [...ranges].map(({ startBytes, endBytes }) => ({
    startBytes: chunkAt(chunkIndexAt(startBytes), blobBytes).startBytes,
    endBytes: chunkAt(chunkIndexAt(endBytes - 1), blobBytes).endBytes,
  }))
  return normalize(widened)
}

/** The raw sum that a piece adds to its chunk. */
export function placeInChunk(raw: Word64, piece: ByteRange, chunk: ByteRange): Word64 {
  return appendZeros(raw, chunk.endBytes - piece.endBytes)
}

/** The raw sum of a chunk, from its entry in a table of a blob that may have been smaller. */
export function rawOfEntry(entry: DigestEntry | undefined, wasBytes: number, isBytes: number): Word64 {
  if (entry?.kind !== 'digest' || wasBytes <= 0) return ZERO
  return appendZeros(rawOf(entry.checksum, wasBytes), isBytes - wasBytes)
}

/** @returns undefined for a chunk of zeros. */
export function digestEntryOf(raw: Word64, lengthBytes: number, epoch: number): DigestEntry | undefined {
  if (raw.high === 0 && raw.low === 0) return undefined
  return { kind: 'digest', checksum: checksumOf(raw, lengthBytes), epoch }
}

/** @returns undefined where the entry is empty, or no entry that this release knows. */
export function readEntry(table: Uint8Array, index: number): DigestEntry | undefined {
  const view = new DataView(table.buffer, table.byteOffset + index * ENTRY_BYTES, ENTRY_BYTES)
  const word = { low: view.getUint32(0, true), high: view.getUint32(4, true) }
  const facts = view.getUint32(12, true)
  const epoch = view.getUint32(8, true) + (facts & 0xffff) * 2 ** 32
  const pages = (facts >>> 16) & 0x3fff
  switch (facts >>> 30) {
    case KINDS.digest:
      return { kind: 'digest', checksum: word, epoch }
    case KINDS['service-checksum']:
      return { kind: 'written', raw: word, pages, basis: 'service-checksum', epoch }
    case KINDS['source-stream']:
      return { kind: 'written', raw: word, pages, basis: 'source-stream', epoch }
    default:
      return undefined
  }
}

export function writeEntry(table: Uint8Array, index: number, entry: DigestEntry | undefined): void {
  const view = new DataView(table.buffer, table.byteOffset + index * ENTRY_BYTES, ENTRY_BYTES)
  if (entry === undefined) {
    for (let at = 0; at < ENTRY_BYTES; at += 4) view.setUint32(at, 0)
    return
  }
  const word = entry.kind === 'digest' ? entry.checksum : entry.raw
  const kind = entry.kind === 'digest' ? KINDS.digest : KINDS[entry.basis]
  const pages = entry.kind === 'digest' ? 0 : entry.pages
  view.setUint32(0, word.low, true)
  view.setUint32(4, word.high, true)
  view.setUint32(8, entry.epoch % 2 ** 32, true)
  view.setUint32(12, ((kind << 30) | (pages << 16) | Math.floor(entry.epoch / 2 ** 32)) >>> 0, true)
}
