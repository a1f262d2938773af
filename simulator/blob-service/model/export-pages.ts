import type { ExportHead, PublishedExport } from '../published-blob.ts'
import type { DiffSpan, FrozenVolume, PageSpan, ReadableVolume, Volume } from '../../store/volume.ts'
import type { VolumeStore } from '../../store/volume-store.ts'

/**
 * A disk or snapshot as its SAS shows it: the content with a head before it (a VHDX) or a footer behind it (a VHD).
 * Both are pages of the blob, but no diff reports them.
 */
export class ExportPages implements ReadableVolume {
  readonly content: FrozenVolume
  readonly createdAt: Date
  readonly #head: ExportHead
  readonly #footer: Buffer
  readonly #familyId: string | undefined

  constructor(published: PublishedExport) {
    this.content = published.content
    this.createdAt = published.createdAt
    this.#head = published.head ?? NO_HEAD
    this.#footer = published.footer
    this.#familyId = published.familyId
  }

  /** Only within one family is a diff answered. */
  isFamilyOf(other: ExportPages): boolean {
    return this.#familyId !== undefined && this.#familyId === other.#familyId
  }

  get sizeBytes(): number {
    return this.#footerStart + this.#footer.length
  }

  async read(offsetBytes: number, lengthBytes: number, into?: Buffer): Promise<Buffer> {
    const endBytes = offsetBytes + lengthBytes
    if (endBytes > this.sizeBytes) throw new RangeError(`byte ${endBytes} is behind the end of the export`)
    const contentOffset = offsetBytes - this.#head.sizeBytes
    if (contentOffset >= 0 && endBytes <= this.#footerStart) return this.content.read(contentOffset, lengthBytes, into)

    const result = Buffer.alloc(lengthBytes)
    const put = (startBytes: number, bytes: Buffer): void => {
      if (startBytes >= endBytes || startBytes + bytes.length <= offsetBytes) return
      bytes.copy(result, Math.max(0, startBytes - offsetBytes), Math.max(0, offsetBytes - startBytes))
    }
    for (const part of this.#head.parts) put(part.offsetBytes, part.bytes)
    put(this.#footerStart, this.#footer)
    const from = Math.max(contentOffset, 0)
    const to = Math.min(contentOffset + lengthBytes, this.content.sizeBytes)
    if (from < to) put(this.#head.sizeBytes + from, await this.content.read(from, to - from))
    return result
  }

  *pageSpans(fromBytes = 0, toBytes = this.sizeBytes): Generator<PageSpan> {
    let pending: PageSpan | undefined
    for (const span of this.#spans(fromBytes, toBytes)) {
      if (pending !== undefined && pending.endBytes + 1 === span.startBytes) {
        pending = { startBytes: pending.startBytes, endBytes: span.endBytes }
        continue
      }
      if (pending !== undefined) yield pending
      pending = span
    }
    if (pending !== undefined) yield pending
  }

  allocatedBytes(): number {
    return this.#head.sizeBytes + this.content.allocatedBytes() + this.#footer.length
  }

  *diffSince(older: ExportPages, fromBytes: number, toBytes: number): Generator<DiffSpan> {
    const window = this.#contentWindow(fromBytes, toBytes)
    if (window === undefined) return
    for (const span of this.content.diffSince(older.content, ...window)) yield this.#moved(span)
  }

  /** A volume of its own with the same pages. Content that lies behind a head has to be copied. */
  async copyTo(store: VolumeStore): Promise<Volume> {
    if (this.#head.sizeBytes === 0) {
      const volume = this.content.fork()
      volume.resize(this.sizeBytes)
      await volume.write(this.#footerStart, this.#footer)
      return volume
    }
    const volume = store.createVolume(this.sizeBytes)
    for (const { startBytes, endBytes } of this.pageSpans()) {
      for (let at = startBytes; at <= endBytes; at += COPIED_PIECE_BYTES) {
        await volume.write(at, await this.read(at, Math.min(COPIED_PIECE_BYTES, endBytes + 1 - at)))
      }
    }
    return volume
  }

  get #footerStart(): number {
    return this.#head.sizeBytes + this.content.sizeBytes
  }

  /** Ascending; what touches is not merged. */
  *#spans(fromBytes: number, toBytes: number): Generator<PageSpan> {
    yield* clipped(0, this.#head.sizeBytes, fromBytes, toBytes)
    const window = this.#contentWindow(fromBytes, toBytes)
    if (window !== undefined) for (const span of this.content.pageSpans(...window)) yield this.#moved(span)
    yield* clipped(this.#footerStart, this.sizeBytes, fromBytes, toBytes)
  }

  /** The part of a window of the export that lies in the content, in its addresses. */
  #contentWindow(fromBytes: number, toBytes: number): [fromBytes: number, toBytes: number] | undefined {
    const from = Math.max(fromBytes - this.#head.sizeBytes, 0)
    const to = Math.min(toBytes - this.#head.sizeBytes, this.content.sizeBytes)
    return from < to ? [from, to] : undefined
  }

  /** From addresses of the content to those of the export. */
  #moved<Span extends PageSpan>(span: Span): Span {
    const { sizeBytes } = this.#head
    if (sizeBytes === 0) return span
    return { ...span, startBytes: span.startBytes + sizeBytes, endBytes: span.endBytes + sizeBytes }
  }
}

const NO_HEAD: ExportHead = { sizeBytes: 0, parts: [] }
const COPIED_PIECE_BYTES = 4 * 2 ** 20

function* clipped(startBytes: number, endBytes: number, fromBytes: number, toBytes: number): Generator<PageSpan> {
  const [start, end] = [Math.max(startBytes, fromBytes), Math.min(endBytes, toBytes)]
  if (start < end) yield { startBytes: start, endBytes: end - 1 }
}
