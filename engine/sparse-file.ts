/**
 * A local file that takes the content of a disk: blocks of zeros are never written, so holes of the disk stay holes of the file.
 *
 * Only for content that is written once, the same bytes on every attempt: a block that was written is not made a hole again.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { cut, MIB, PAGE_BYTES, type ByteRange } from '../domain/byte-range.ts'
import { asLocalFailure, codeOf } from './local-failure.ts'

/** File systems allocate 4 KiB blocks as a rule; larger ones keep the number of writes small. */
const BLOCK_BYTES = 64 * 1024
const SCAN_BYTES = 4 * MIB
const ZEROS = Buffer.alloc(SCAN_BYTES)

export class SparseFile {
  readonly path: string
  readonly #handle: FileHandle

  private constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  /** A new file, all holes. @throws BackupError FileExists | LocalFileFailed */
  static create(path: string, sizeBytes: number): Promise<SparseFile> {
    return guarded(path, async () => {
      const handle = await open(path, 'wx+')
      await handle.truncate(sizeBytes)
      return new SparseFile(path, handle)
    })
  }

  /** @returns undefined where there is no such file. */
  static find(path: string): Promise<SparseFile | undefined> {
    return guarded(path, async () => {
      const handle = await open(path, 'r+').catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') return undefined
        throw error
      })
      return handle === undefined ? undefined : new SparseFile(path, handle)
    })
  }

  sizeBytes(): Promise<number> {
    return guarded(this.path, async () => (await this.#handle.stat()).size)
  }

  /** @throws BackupError LocalDiskFull | LocalFileFailed */
  write(offsetBytes: number, data: Buffer): Promise<void> {
    return guarded(this.path, async () => {
      for (const { startBytes, endBytes } of dataRuns(data, BLOCK_BYTES)) {
        await writeFully(this.#handle, data.subarray(startBytes, endBytes), offsetBytes + startBytes)
      }
    })
  }

  read({ startBytes, endBytes }: ByteRange): Promise<Buffer> {
    return guarded(this.path, async () => {
      const data = Buffer.alloc(endBytes - startBytes)
      for (let filledBytes = 0; filledBytes < data.length; ) {
        const { bytesRead } = await this.#handle.read(data, filledBytes, data.length - filledBytes, startBytes + filledBytes)
        if (bytesRead === 0) throw new Error(`it ends at ${startBytes + filledBytes}`)
        filledBytes += bytesRead
      }
      return data
    })
  }

  /** Pages that hold a byte other than zero, by reading the file: holes read fast. */
  async *allocated(window: ByteRange, signal?: AbortSignal): AsyncGenerator<ByteRange> {
    for (const part of cut(window, SCAN_BYTES)) {
      signal?.throwIfAborted()
      const data = await this.read(part)
      for (const { startBytes, endBytes } of dataRuns(data, PAGE_BYTES)) {
        yield { startBytes: part.startBytes + startBytes, endBytes: part.startBytes + endBytes }
      }
    }
  }

  /** Makes durable what was written. */
  sync(): Promise<void> {
    return guarded(this.path, () => this.#handle.sync())
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** Runs of blocks that hold a byte other than zero. */
export function* dataRuns(data: Buffer, blockBytes: number): Generator<ByteRange> {
  if (data.equals(ZEROS.subarray(0, data.length))) return
  let startBytes: number | undefined
  for (let atBytes = 0; atBytes < data.length; atBytes += blockBytes) {
    const block = data.subarray(atBytes, atBytes + blockBytes)
    const isZero = block.equals(ZEROS.subarray(0, block.length))
    if (!isZero) startBytes ??= atBytes
    else if (startBytes !== undefined) {
      yield { startBytes, endBytes: atBytes }
      startBytes = undefined
    }
  }
  if (startBytes !== undefined) yield { startBytes, endBytes: data.length }
}

async function writeFully(handle: FileHandle, data: Buffer, offsetBytes: number): Promise<void> {
  for (let writtenBytes = 0; writtenBytes < data.length; ) {
    const rest = data.subarray(writtenBytes)
    writtenBytes += (await handle.write(rest, 0, rest.length, offsetBytes + writtenBytes)).bytesWritten
  }
}

async function guarded<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw asLocalFailure(error, path)
  }
}
