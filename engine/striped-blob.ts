/**
 * One or more page blobs of the target as one image of a disk, in addresses of the disk: a base blob, or a recovery point
 * of it. With one stripe it sends the same requests as the blob by itself.
 */
import { setMaxListeners } from 'node:events'
import { FencedBlob } from '../azure/fenced-blob.ts'
import type { PageLists } from '../azure/page-lists.ts'
import { clip, lengthOf, type ByteRange } from '../domain/byte-range.ts'
import type { Word64 } from '../domain/crc64-algebra.ts'
import { mergeStripes } from '../domain/merge-stripes.ts'
import { stripeBlobName } from '../domain/names.ts'
import { partInStripe, stripeAt, type Striping } from '../domain/stripes.ts'
import type { BlobSnapshotRef, OpenedBase } from '../domain/transfer-job.ts'
import type { Change } from '../domain/transfer-plan.ts'
import type { Engine } from './engine.ts'

/** The base blob of a job as it is now. */
export function baseBlobOf(
  { azure, pageLists }: Pick<Engine, 'azure' | 'pageLists'>,
  { targetUrl, baseBlobName, striping }: Pick<OpenedBase, 'targetUrl' | 'baseBlobName' | 'striping'>,
): StripedBlob {
  const stripes = Array.from({ length: striping.count }, (_, stripe) => {
    return new FencedBlob(azure, targetUrl, stripeBlobName(baseBlobName, stripe))
  })
  return new StripedBlob(pageLists, striping, stripes)
}

/** What of a range lies in one stripe. */
interface StripePart {
  readonly stripe: number
  readonly blob: FencedBlob
  /** In addresses of the blob. */
  readonly range: ByteRange
}

export class StripedBlob {
  readonly striping: Striping
  readonly stripes: readonly FencedBlob[]
  readonly #pageLists: PageLists
  readonly #at: readonly BlobSnapshotRef[] | undefined

  /** @param at the snapshot of each stripe that is meant; absent: the blobs as they are now. */
  constructor(pageLists: PageLists, striping: Striping, stripes: readonly FencedBlob[], at?: readonly BlobSnapshotRef[]) {
    this.striping = striping
    this.stripes = stripes
    this.#pageLists = pageLists
    this.#at = at
  }

  /** The same blobs as they were when the snapshots were taken. */
  at(snapshots: readonly BlobSnapshotRef[]): StripedBlob {
    return new StripedBlob(this.#pageLists, this.striping, this.stripes, snapshots)
  }

  /** Allocated pages. */
  allocated(window: ByteRange, signal?: AbortSignal): AsyncGenerator<ByteRange> {
    expectListeners(signal)
    return this.#merged(window, ({ stripe, blob, range }) =>
      this.#pageLists.allocated(blob.pageListSource(this.#at?.[stripe]?.snapshot), range, signal),
    )
  }

  /** What was written and cleared since the snapshots were taken. @throws BackupError DiffRefused */
  changedSince(snapshots: readonly BlobSnapshotRef[], window: ByteRange, signal?: AbortSignal): AsyncGenerator<Change> {
    expectListeners(signal)
    return this.#merged(window, ({ stripe, blob, range }) => {
      const at = this.#at?.[stripe]?.snapshot
      const since = snapshots[stripe]?.snapshot
      // A snapshot differs in nothing from itself; the service need not be asked.
      if (since === undefined || since === at) return nothing()
      return this.#pageLists.blobDiff(blob.pageListSource(at), since, range, signal)
    })
  }

  /** Bytes that each snapshot really has. @throws BackupError PointNotFound where one is gone. */
  sizesOfSnapshots(signal?: AbortSignal): Promise<number[]> {
    return Promise.all(
      this.stripes.map(async (blob, stripe) => {
        const at = this.#at?.[stripe]
        return at === undefined ? 0 : blob.sizeOfSnapshot(at.snapshot, signal)
      }),
    )
  }

  /** Exactly the bytes of the range. @throws BackupError PointNotFound where a blob or its snapshot is gone. */
  async read(range: ByteRange, signal?: AbortSignal): Promise<Buffer> {
    const { unitBytes, count } = this.striping
    const pieces: Promise<Buffer>[] = []
    for (let startBytes = range.startBytes; startBytes < range.endBytes; ) {
      const unitEndBytes = count === 1 ? Infinity : (Math.floor(startBytes / unitBytes) + 1) * unitBytes
      const piece = { startBytes, endBytes: Math.min(range.endBytes, unitEndBytes) }
      const { stripe, blob, range: inBlob } = this.#placeOf(piece)
      pieces.push(blob.read(inBlob, this.#at?.[stripe]?.snapshot, signal))
      startBytes = piece.endBytes
    }
    const [first, ...others] = await Promise.all(pieces)
    if (first === undefined) return Buffer.alloc(0)
    return others.length === 0 ? first : Buffer.concat([first, ...others])
  }

  /**
   * Put Page of a range that crosses no unit.
   * @throws BackupError FencedOut; AzureThrottled at once
   * @returns the checksum of the data.
   */
  async write(range: ByteRange, data: Buffer, epoch: number, signal?: AbortSignal): Promise<Word64 | undefined> {
    const part = this.#placeOf(range)
    return part.blob.write(part.range.startBytes, data, epoch, signal)
  }

  /**
   * Put Page From URL of a range that crosses no unit; it lies at the same addresses in the source.
   * @throws BackupError ExportAccessLost | ServerSideCopyRefused for the source's sake; FencedOut; AzureThrottled at once
   * @returns the checksum of what was written, where the service told one.
   */
  async copyFrom(sourceUrl: string, range: ByteRange, epoch: number, signal?: AbortSignal): Promise<Word64 | undefined> {
    const part = this.#placeOf(range)
    return part.blob.copyFrom(sourceUrl, part.range, epoch, { sourceOffsetBytes: range.startBytes, signal })
  }

  /** One request a stripe however long the range is. @throws BackupError FencedOut; AzureThrottled at once */
  async clear(range: ByteRange, epoch: number, signal?: AbortSignal): Promise<void> {
    const parts = this.stripes.map((_, stripe) => this.#partIn(stripe, range)).filter((part) => part !== undefined)
    const cleared = await Promise.allSettled(parts.map((part) => part.blob.clear(part.range, epoch, signal)))
    // Nothing is under way any more when it fails.
    const failed = cleared.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  /** Where a range lies that crosses no unit. */
  #placeOf(range: ByteRange): StripePart {
    const stripe = stripeAt(this.striping, range.startBytes)
    const part = this.#partIn(stripe, range)
    if (part === undefined || lengthOf(part.range) !== lengthOf(range)) {
      throw new RangeError(`[${range.startBytes}, ${range.endBytes}) is not in one unit of ${this.striping.unitBytes} bytes`)
    }
    return part
  }

  /** Where the storage service finds a range that crosses no unit. Bare: whoever reads it needs a token. */
  sourceOf(range: ByteRange): { url: string; offsetBytes: number } {
    const { stripe, blob, range: inBlob } = this.#placeOf(range)
    const snapshot = this.#at?.[stripe]?.snapshot
    return { url: snapshot === undefined ? blob.url : blob.snapshotUrl(snapshot), offsetBytes: inBlob.startBytes }
  }

  #partIn(stripe: number, range: ByteRange): StripePart | undefined {
    const blob = this.stripes[stripe]
    const part = partInStripe(this.striping, stripe, range)
    return blob === undefined || part === undefined ? undefined : { stripe, blob, range: part }
  }

  /** The lists of all stripes as one; of snapshots no more is asked for than they have. */
  #merged<Item extends ByteRange>(window: ByteRange, list: (part: StripePart) => AsyncGenerator<Item>): AsyncGenerator<Item> {
    const lists = this.stripes.map((_, stripe) => {
      const part = this.#partIn(stripe, window)
      const held = { startBytes: 0, endBytes: this.#at?.[stripe]?.sizeBytes ?? Infinity }
      const range = part && clip(part.range, held)
      return part === undefined || range === undefined ? nothing<Item>() : list({ ...part, range })
    })
    return mergeStripes(this.striping, lists)
  }
}

/** Each request under way listens; with several stripes they are more, and that is no leak. */
export function expectListeners(signal: AbortSignal | undefined): void {
  if (signal !== undefined) setMaxListeners(0, signal)
}

async function* nothing<Item>(): AsyncGenerator<Item> {}
