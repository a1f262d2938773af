/** Reads a digest table block by block, the last block kept: whoever goes through a disk in order reads each once. */
import type { DigestBlob } from '../azure/digest-blob.ts'
import { ENTRY_BYTES, readEntry, TABLE_BYTES, type DigestEntry } from '../domain/digest-table.ts'

/** 64 KiB tell of 16 GiB of disk. */
const BLOCK_BYTES = 64 * 1024

export class DigestReader {
  readonly #blob: DigestBlob
  readonly #snapshot: string | undefined
  #start = -1
  #block: Promise<Buffer> | undefined

  /** @param snapshot undefined: the table as it is being brought forward. */
  constructor(blob: DigestBlob, snapshot: string | undefined) {
    this.#blob = blob
    this.#snapshot = snapshot
  }

  /** @throws BackupError PointNotFound where the table is gone. */
  async entry(chunkIndex: number, signal?: AbortSignal): Promise<DigestEntry | undefined> {
    const atBytes = chunkIndex * ENTRY_BYTES
    const block = await this.#blockAt(atBytes, signal)
    return readEntry(block, (atBytes - this.#blockStart(atBytes)) / ENTRY_BYTES)
  }

  /** The bytes of so many entries, which lie in one block. */
  async bytes(chunkIndex: number, count: number, signal?: AbortSignal): Promise<Buffer> {
    const atBytes = chunkIndex * ENTRY_BYTES
    const from = atBytes - this.#blockStart(atBytes)
    return (await this.#blockAt(atBytes, signal)).subarray(from, from + count * ENTRY_BYTES)
  }

  #blockStart(atBytes: number): number {
    return Math.floor(atBytes / BLOCK_BYTES) * BLOCK_BYTES
  }

  #blockAt(atBytes: number, signal: AbortSignal | undefined): Promise<Buffer> {
    const start = this.#blockStart(atBytes)
    if (this.#block === undefined || this.#start !== start) {
      this.#start = start
      const reading = this.#blob.read({ startBytes: start, endBytes: Math.min(start + BLOCK_BYTES, TABLE_BYTES) }, this.#snapshot, signal)
      this.#block = reading
      // A read that failed is tried again by the next caller.
      reading.catch(() => this.#block === reading && (this.#block = undefined))
    }
    return this.#block
  }
}
