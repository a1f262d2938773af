import type { DataFile } from './data-file.ts'
import { RunMap, type RunSnapshot, type RunSource } from './run-map.ts'
import { allocatedSpans, changedSpans } from './run-spans.ts'
import type { VolumeLog } from './volume-log.ts'
import { PAGE_BYTES, type DiffSpan, type FrozenVolume, type PageSpan, type Volume } from './volume.ts'

/**
 * `Volume` and `FrozenVolume` over a run map and a data file.
 *
 * A change takes effect on the index in the turn of the event loop it is called in; the promise of `write` tells only
 * when the bytes are in the file. So changes are atomic and in call order without a lock, and a later read waits for
 * them.
 */

/** What the volumes of a store share. */
export interface VolumePages {
  readonly file: DataFile
  readonly log: VolumeLog
}

export class FrozenSparseVolume implements FrozenVolume {
  readonly sizeBytes: number
  readonly runs: RunSnapshot
  readonly #pages: VolumePages
  /** The volume that it is a point in time of, until it has an id. */
  #name: number | SparseVolume | undefined

  constructor(pages: VolumePages, sizeBytes: number, runs: RunSnapshot, name?: number | SparseVolume) {
    this.#pages = pages
    this.sizeBytes = sizeBytes
    this.runs = runs
    this.#name = name
  }

  get id(): number {
    if (typeof this.#name !== 'number') this.#name = this.#pages.log.frozen(this, this.#name)
    return this.#pages.log.inUse(this.#name)
  }

  async read(offsetBytes: number, lengthBytes: number, into?: Buffer): Promise<Buffer> {
    return readRuns(this.#pages.file, this, offsetBytes, lengthBytes, into)
  }

  rot(offsetBytes: number, mask: number): Promise<boolean> {
    return rotByte(this.#pages.file, this.runs, offsetBytes, mask)
  }

  pageSpans(fromBytes = 0, toBytes = this.sizeBytes): Iterable<PageSpan> {
    return lazily(() => allocatedSpans(this.runs, fromBytes, Math.min(toBytes, this.sizeBytes)))
  }

  allocatedBytes(): number {
    return this.runs.coveredBytes
  }

  fork(): Volume {
    const id = this.#pages.log.forked(this)
    return new SparseVolume(this.#pages, id, this.sizeBytes, new RunMap(this.runs))
  }

  diffSince(older: FrozenVolume, fromBytes = 0, toBytes = this.sizeBytes): Iterable<DiffSpan> {
    if (!(older instanceof FrozenSparseVolume)) throw new TypeError('a diff needs two points in time of one store')
    return lazily(() => changedSpans(this.runs, older.runs, fromBytes, Math.min(toBytes, this.sizeBytes)))
  }
}

export class SparseVolume implements Volume {
  readonly runs: RunMap
  readonly #id: number
  readonly #pages: VolumePages
  #sizeBytes: number

  constructor(pages: VolumePages, id: number, sizeBytes: number, runs: RunMap) {
    requirePages(0, sizeBytes, Number.MAX_SAFE_INTEGER)
    this.#pages = pages
    this.#id = id
    this.#sizeBytes = sizeBytes
    this.runs = runs
  }

  get id(): number {
    return this.#pages.log.inUse(this.#id)
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  async write(offsetBytes: number, data: Buffer): Promise<void> {
    requirePages(offsetBytes, data.length, this.#sizeBytes)
    if (data.length === 0) return
    const { location, written } = this.#pages.file.append(data)
    this.runs.replace(offsetBytes, offsetBytes + data.length, location)
    this.#pages.log.replaced(this.#id, offsetBytes, offsetBytes + data.length, location)
    await written
  }

  clear(offsetBytes: number, lengthBytes: number): void {
    requirePages(offsetBytes, lengthBytes, this.#sizeBytes)
    if (lengthBytes === 0) return
    this.runs.replace(offsetBytes, offsetBytes + lengthBytes)
    this.#pages.log.replaced(this.#id, offsetBytes, offsetBytes + lengthBytes, undefined)
  }

  resize(sizeBytes: number): void {
    this.setSize(sizeBytes)
    this.#pages.log.resized(this.#id, sizeBytes)
  }

  /** As `resize`, and it is not kept: the journal itself brings the volume forward. */
  setSize(sizeBytes: number): void {
    requirePages(0, sizeBytes, Number.MAX_SAFE_INTEGER)
    if (sizeBytes < this.#sizeBytes) this.runs.replace(sizeBytes, this.#sizeBytes)
    this.#sizeBytes = sizeBytes
  }

  async read(offsetBytes: number, lengthBytes: number, into?: Buffer): Promise<Buffer> {
    return readRuns(this.#pages.file, this, offsetBytes, lengthBytes, into)
  }

  rot(offsetBytes: number, mask: number): Promise<boolean> {
    return rotByte(this.#pages.file, this.runs, offsetBytes, mask)
  }

  /** Of the moment of the call: changes made while iterating are not seen. */
  pageSpans(fromBytes?: number, toBytes?: number): Iterable<PageSpan> {
    return this.freeze().pageSpans(fromBytes, toBytes)
  }

  allocatedBytes(): number {
    return this.runs.coveredBytes
  }

  freeze(): FrozenVolume {
    // Where nothing is kept, a point in time must not hold on to a volume that everybody else has let go.
    const origin = this.#pages.log.isKept ? this : undefined
    return new FrozenSparseVolume(this.#pages, this.#sizeBytes, this.runs.snapshot(), origin)
  }

  diffSince(older: FrozenVolume, fromBytes?: number, toBytes?: number): Iterable<DiffSpan> {
    return this.freeze().diffSince(older, fromBytes, toBytes)
  }
}

/** The pieces to read are settled before the first wait, so a change made meanwhile is not half seen. */
async function readRuns(
  file: DataFile,
  { runs, sizeBytes }: { readonly runs: RunSource; readonly sizeBytes: number },
  offsetBytes: number,
  lengthBytes: number,
  into: Buffer | undefined,
): Promise<Buffer> {
  const endBytes = offsetBytes + lengthBytes
  if (offsetBytes < 0 || lengthBytes < 0 || endBytes > sizeBytes) {
    throw new RangeError(`bytes ${offsetBytes}+${lengthBytes} are not inside a volume of ${sizeBytes} bytes`)
  }
  const pieces: { location: number; startBytes: number; endBytes: number }[] = []
  let foundBytes = 0
  for (const cursor = runs.cursorAt(offsetBytes); !cursor.isDone && cursor.startBytes < endBytes; cursor.next()) {
    const start = Math.max(cursor.startBytes, offsetBytes)
    const end = Math.min(cursor.endBytes, endBytes)
    pieces.push({ location: cursor.location + start - cursor.startBytes, startBytes: start, endBytes: end })
    foundBytes += end - start
  }
  const isOwn = into === undefined || into.length < lengthBytes
  const result = isOwn ? Buffer.allocUnsafe(lengthBytes) : into.subarray(0, lengthBytes)
  if (foundBytes < lengthBytes) result.fill(0)
  for (const piece of pieces) {
    await file.read(piece.location, result.subarray(piece.startBytes - offsetBytes, piece.endBytes - offsetBytes))
  }
  return result
}

async function rotByte(file: DataFile, runs: RunSource, offsetBytes: number, mask: number): Promise<boolean> {
  const cursor = runs.cursorAt(offsetBytes)
  if (cursor.isDone || cursor.startBytes > offsetBytes || cursor.endBytes <= offsetBytes) return false
  await file.invert(cursor.location + offsetBytes - cursor.startBytes, mask)
  return true
}

function requirePages(offsetBytes: number, lengthBytes: number, sizeBytes: number): void {
  const isAligned = offsetBytes % PAGE_BYTES === 0 && lengthBytes % PAGE_BYTES === 0
  if (!isAligned || offsetBytes < 0 || lengthBytes < 0 || offsetBytes + lengthBytes > sizeBytes) {
    throw new RangeError(`bytes ${offsetBytes}+${lengthBytes} are not whole pages of a volume of ${sizeBytes} bytes`)
  }
}

/** An iterable that can be walked more than once. */
function lazily<Item>(start: () => Iterator<Item>): Iterable<Item> {
  return { [Symbol.iterator]: start }
}
