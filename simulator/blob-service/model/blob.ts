import type { FrozenVolume, Volume } from '../../store/volume.ts'
import type { ExportPages } from './export-pages.ts'
import { Lease } from './lease.ts'

/**
 * A blob: its present state, its snapshots, its lease. A state is a value: an operation puts another one in place and
 * never edits it, so whoever holds one (a snapshot, a copy under way) sees it unchanged. Only the bytes of a base page
 * blob lie in a volume that goes on changing.
 */

export interface HttpProperties {
  readonly contentType: string
  readonly contentEncoding?: string | undefined
  readonly contentLanguage?: string | undefined
  readonly contentDisposition?: string | undefined
  readonly cacheControl?: string | undefined
  /** Base64. Stored as given; the service does not check it against the content. */
  readonly contentMd5?: string | undefined
}

export interface CopyRecord {
  readonly id: string
  /** Without its query, which may hold a SAS. */
  readonly source: string
  readonly status: 'pending' | 'success' | 'aborted' | 'failed'
  /** Of one that failed: why. */
  readonly description?: string | undefined
  readonly startedAt: Date
  /** When it ended; of one that is pending, when it will. */
  readonly completedAt: Date
  /** Of one that has ended. */
  readonly copiedBytes: number
  readonly totalBytes: number
}

/** What a pending copy will put in the place of the blob. */
export interface ArrivingCopy {
  readonly state: BlobState
  /** The source, if it is a blob that may change: when it does, the copy fails. */
  readonly origin: { readonly account: string; readonly container: string; readonly blob: string; readonly etag: string } | undefined
}

interface CommonState {
  readonly metadata: ReadonlyMap<string, string>
  readonly http: HttpProperties
  readonly etag: string
  readonly lastModified: Date
  readonly createdAt: Date
  /** Another one after each Put Blob, Put Block List and Copy Blob: a diff over two generations is refused. */
  readonly generation: string
  readonly copy: CopyRecord | undefined
  /** While a copy is pending. */
  readonly arriving?: ArrivingCopy | undefined
}

/** `Volume` for a base blob, `FrozenVolume` for its snapshots, `ExportPages` for a published disk or snapshot. */
export type Pages = Volume | FrozenVolume | ExportPages

export interface PageBlobState extends CommonState {
  readonly type: 'PageBlob'
  readonly pages: Pages
  readonly sequenceNumber: number
}

export interface Block {
  readonly id: string
  readonly sizeBytes: number
  /** As long as the block, rounded up to whole pages. */
  readonly bytes: FrozenVolume
}

export interface BlockBlobState extends CommonState {
  readonly type: 'BlockBlob'
  readonly blocks: readonly Block[]
}

export type BlobState = PageBlobState | BlockBlobState

export class Blob {
  readonly name: string
  /** Absent for a published snapshot, which has no base, and while a block blob has uncommitted blocks only. */
  base: BlobState | undefined
  /** By snapshot time, oldest first. */
  readonly snapshots = new Map<string, BlobState>()
  readonly lease = new Lease()
  readonly uncommittedBlocks = new Map<string, Block>()

  constructor(name: string) {
    this.name = name
  }
}

export function isVolume(pages: Pages): pages is Volume {
  return 'write' in pages
}

export function isFrozen(pages: Pages): pages is FrozenVolume {
  return 'fork' in pages
}

export function contentLength(state: BlobState): number {
  if (state.type === 'PageBlob') return state.pages.sizeBytes
  return state.blocks.reduce((sum, block) => sum + block.sizeBytes, 0)
}

/** Bytes [offsetBytes, offsetBytes + lengthBytes) of the content, which must be inside it; `into` as for a volume. */
export async function readContent(
  state: BlobState,
  offsetBytes: number,
  lengthBytes: number,
  into?: Buffer,
): Promise<Buffer> {
  if (state.type === 'PageBlob') return state.pages.read(offsetBytes, lengthBytes, into)
  const parts: Buffer[] = []
  let blockStart = 0
  for (const block of state.blocks) {
    const from = Math.max(offsetBytes, blockStart)
    const to = Math.min(offsetBytes + lengthBytes, blockStart + block.sizeBytes)
    if (from < to) parts.push(await block.bytes.read(from - blockStart, to - from))
    blockStart += block.sizeBytes
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}
