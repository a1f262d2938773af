import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { constants, readSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMemoryFile, type MemoryFile } from './memory-file.ts'
import { openUnlinked } from './unlinked-file.ts'

/**
 * The one file that holds the bytes of all volumes of a store. It only grows: a location, once given, keeps its bytes
 * until the store closes, or, in a kept file, for ever. Space is not taken back from pages that nobody names any more.
 * Of a temporary file the first part lies in memory, where there is room.
 *
 * A read sees every write that was begun before it, finished or not. After a write has failed (a full disk) the pages
 * that name it cannot be trusted, so every later call fails with the same error.
 */

/** Up to this length a blocking call that meets the page cache costs less than a trip through the thread pool. */
const BLOCKING_BYTES = 64 * 1024
const FILE_NAME = 'pages.data'
const GAP_BYTES = 4096

export interface AppendedData {
  readonly location: number
  /** Resolves when the bytes are in the file; the buffer must stay unchanged until then. */
  readonly written: Promise<void>
}

interface UnfinishedWrite {
  readonly endLocation: number
  readonly written: Promise<void>
}

export interface DataFileOptions {
  /** Default: a temporary file that vanishes with the process. */
  readonly directory?: string
  /** Of a temporary file. Default: what `openMemoryFile` gives. */
  readonly memory?: MemoryFile
  /**
   * Goes on with what is in the directory. Bytes are then in the file when `append` returns, whatever their length, so
   * that a journal entry which names them can follow at once. Default: starts empty.
   */
  readonly isKept?: boolean
}

export class DataFile {
  readonly #handle: FileHandle
  readonly #memory: MemoryFile | undefined
  readonly #blockingBytes: number
  #endLocation: number
  #failure: Error | undefined
  readonly #unfinished = new Map<number, UnfinishedWrite>()
  /** The end of the last write of the thread pool. Two at a time would only fight for the lock of the file. */
  #lastWrite: Promise<void> = Promise.resolve()

  private constructor(handle: FileHandle, endLocation: number, blockingBytes: number, memory?: MemoryFile) {
    this.#handle = handle
    this.#memory = memory
    this.#endLocation = endLocation
    this.#blockingBytes = blockingBytes
  }

  static async open(options: DataFileOptions = {}): Promise<DataFile> {
    if (options.directory === undefined) {
      const memory = options.memory ?? (await openMemoryFile())
      return new DataFile(await openUnlinked(tmpdir()), 0, BLOCKING_BYTES, memory)
    }
    await mkdir(options.directory, { recursive: true })
    const path = join(options.directory, FILE_NAME)
    if (options.isKept !== true) return new DataFile(await open(path, 'w+'), 0, BLOCKING_BYTES)
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT)
    return new DataFile(handle, (await handle.stat()).size, Infinity)
  }

  append(data: Buffer): AppendedData {
    if (this.#failure !== undefined) throw this.#failure
    const location = this.#nextLocation(data.length)
    this.#endLocation = location + data.length
    if (data.length <= this.#blockingBytes) {
      this.#writeBlocking(data, location)
      return { location, written: Promise.resolve() }
    }
    const written = this.#lastWrite.then(() => this.#writeAll(data, location))
    this.#lastWrite = written.catch(() => {})
    this.#unfinished.set(location, { endLocation: location + data.length, written })
    return { location, written }
  }

  /** Fills `target` from `location`. */
  async read(location: number, target: Buffer): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const endLocation = location + target.length
    for (const [start, write] of this.#unfinished) {
      if (start < endLocation && location < write.endLocation) await write.written
    }
    const handle = this.#handleOf(location)
    let filled = 0
    while (filled < target.length) {
      const count =
        target.length <= BLOCKING_BYTES
          ? readSync(handle.fd, target, filled, target.length - filled, location + filled)
          : (await handle.read(target, filled, target.length - filled, location + filled)).bytesRead
      if (count === 0) throw new Error(`data file ends before location ${endLocation}`)
      filled += count
    }
  }

  /** Inverts bits of the byte at `location`, which for once does not keep what it was given. */
  async invert(location: number, mask: number): Promise<void> {
    const byte = Buffer.alloc(1)
    await this.read(location, byte)
    byte.writeUInt8(byte.readUInt8(0) ^ mask, 0)
    this.#writeBlocking(byte, location)
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#unfinished.values()].map((write) => write.written))
    await Promise.all([this.#handle.close(), this.#memory?.handle.close()])
  }

  /** Behind the part in memory a page is left out, so that no run goes on from there into the rest. */
  #nextLocation(lengthBytes: number): number {
    const location = this.#endLocation
    if (this.#memory === undefined) return location
    const { sizeBytes } = this.#memory
    return location <= sizeBytes && location + lengthBytes > sizeBytes ? sizeBytes + GAP_BYTES : location
  }

  #handleOf(location: number): FileHandle {
    return this.#memory !== undefined && location < this.#memory.sizeBytes ? this.#memory.handle : this.#handle
  }

  #writeBlocking(data: Buffer, location: number): void {
    try {
      const { fd } = this.#handleOf(location)
      let done = 0
      while (done < data.length) {
        done += writeSync(fd, data, done, data.length - done, location + done)
      }
    } catch (error) {
      throw this.#fail(error)
    }
  }

  async #writeAll(data: Buffer, location: number): Promise<void> {
    try {
      if (this.#failure !== undefined) throw this.#failure
      const handle = this.#handleOf(location)
      let done = 0
      while (done < data.length) {
        done += (await handle.write(data, done, data.length - done, location + done)).bytesWritten
      }
    } catch (error) {
      throw this.#fail(error)
    } finally {
      this.#unfinished.delete(location)
    }
  }

  #fail(cause: unknown): Error {
    this.#failure ??= new Error('the data file of the store could not be written', { cause })
    return this.#failure
  }
}
