import type { PublishedExport } from '../published-blob.ts'
import type { DiffSpan, FrozenVolume, PageSpan, ReadableVolume } from '../../store/volume.ts'

/**
 * A disk or snapshot as its SAS shows it: the content, and behind it the VHD footer as one more page. The footer is a
 * page of the blob, but no diff reports it.
 */
export class ExportPages implements ReadableVolume {
  readonly content: FrozenVolume
  readonly footer: Buffer
  readonly createdAt: Date
  readonly #familyId: string | undefined

  constructor(published: PublishedExport) {
    this.content = published.content
    this.footer = published.footer
    this.createdAt = published.createdAt
    this.#familyId = published.familyId
  }

  /** Only within one family is a diff answered. */
  isFamilyOf(other: ExportPages): boolean {
    return this.#familyId !== undefined && this.#familyId === other.#familyId
  }

  get sizeBytes(): number {
    return this.content.sizeBytes + this.footer.length
  }

  async read(offsetBytes: number, lengthBytes: number, into?: Buffer): Promise<Buffer> {
    const contentBytes = this.content.sizeBytes
    const endBytes = offsetBytes + lengthBytes
    if (endBytes <= contentBytes) return this.content.read(offsetBytes, lengthBytes, into)
    if (endBytes > this.sizeBytes) throw new RangeError(`byte ${endBytes} is behind the end of the export`)
    const footerPart = this.footer.subarray(Math.max(0, offsetBytes - contentBytes), endBytes - contentBytes)
    if (offsetBytes >= contentBytes) return footerPart
    return Buffer.concat([await this.content.read(offsetBytes, contentBytes - offsetBytes), footerPart])
  }

  *pageSpans(fromBytes = 0, toBytes = this.sizeBytes): Generator<PageSpan> {
    const contentBytes = this.content.sizeBytes
    let last: PageSpan | undefined
    for (const span of this.content.pageSpans(fromBytes, Math.min(toBytes, contentBytes))) {
      if (last !== undefined) yield last
      last = span
    }
    const startBytes = Math.max(fromBytes, contentBytes)
    const endBytes = Math.min(toBytes, this.sizeBytes) - 1
    if (startBytes > endBytes) {
      if (last !== undefined) yield last
    } else if (last !== undefined && last.endBytes + 1 === startBytes) {
      yield { startBytes: last.startBytes, endBytes }
    } else {
      if (last !== undefined) yield last
      yield { startBytes, endBytes }
    }
  }

  allocatedBytes(): number {
    return this.content.allocatedBytes() + this.footer.length
  }

  diffSince(older: ExportPages, fromBytes: number, toBytes: number): Iterable<DiffSpan> {
    return this.content.diffSince(older.content, fromBytes, Math.min(toBytes, this.content.sizeBytes))
  }
}
