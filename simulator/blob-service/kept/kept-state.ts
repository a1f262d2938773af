import type { FrozenVolume, Volume } from '../../store/volume.ts'
import type { VolumeStore } from '../../store/volume-store.ts'
import {
  isFrozen,
  isVolume,
  type ArrivingCopy,
  type Block,
  type BlobState,
  type CopyRecord,
  type HttpProperties,
  type Pages,
} from '../model/blob.ts'
import type { HeldLease } from '../model/lease.ts'

/** The states of blobs as plain JSON, with the names of volumes in the place of their bytes, and back. */

interface KeptCommon {
  readonly metadata: readonly (readonly [string, string])[]
  readonly http: HttpProperties
  readonly etag: string
  readonly lastModified: string
  readonly createdAt: string
  readonly generation: string
  readonly copy?: Omit<CopyRecord, 'startedAt' | 'completedAt'> & {
    readonly startedAt: string
    readonly completedAt: string
  }
  readonly arriving?: Omit<ArrivingCopy, 'state'> & { readonly state: KeptState }
}

interface KeptPageBlob extends KeptCommon {
  readonly type: 'PageBlob'
  readonly pages: { readonly kind: 'volume' | 'frozen'; readonly id: number }
  readonly sequenceNumber: number
}

interface KeptBlockBlob extends KeptCommon {
  readonly type: 'BlockBlob'
  readonly blocks: readonly KeptBlock[]
}

export type KeptState = KeptPageBlob | KeptBlockBlob

export interface KeptBlock {
  readonly id: string
  readonly sizeBytes: number
  /** Of a frozen volume. */
  readonly bytes: number
}

export interface KeptLease {
  readonly id: string
  /** Absent: for ever. */
  readonly durationMs?: number
  readonly endsAtMs?: number
  readonly brokenAtMs?: number
}

export function keptState(state: BlobState): KeptState {
  const { copy, arriving } = state
  const common: KeptCommon = {
    metadata: [...state.metadata],
    http: state.http,
    etag: state.etag,
    lastModified: state.lastModified.toISOString(),
    createdAt: state.createdAt.toISOString(),
    generation: state.generation,
    ...(copy === undefined ? {} : { copy: keptCopy(copy) }),
    ...(arriving === undefined ? {} : { arriving: { ...arriving, state: keptState(arriving.state) } }),
  }
  if (state.type === 'BlockBlob') return { ...common, type: 'BlockBlob', blocks: state.blocks.map(keptBlock) }
  return { ...common, type: 'PageBlob', pages: keptPages(state.pages), sequenceNumber: state.sequenceNumber }
}

/** @throws Error for volumes that the store does not know. */
export function restoredState(kept: KeptState, store: VolumeStore): BlobState {
  const { copy, arriving } = kept
  const common = {
    metadata: new Map(kept.metadata),
    http: kept.http,
    etag: kept.etag,
    lastModified: new Date(kept.lastModified),
    createdAt: new Date(kept.createdAt),
    generation: kept.generation,
    copy: copy === undefined ? undefined : restoredCopy(copy),
    ...(arriving === undefined
      ? {}
      : { arriving: { origin: arriving.origin, state: restoredState(arriving.state, store) } }),
  }
  if (kept.type === 'BlockBlob') {
    return { ...common, type: 'BlockBlob', blocks: kept.blocks.map((block) => restoredBlock(block, store)) }
  }
  return {
    ...common,
    type: 'PageBlob',
    pages: restoredPages(kept.pages, store),
    sequenceNumber: kept.sequenceNumber,
  }
}

function keptCopy(copy: CopyRecord): NonNullable<KeptCommon['copy']> {
  return { ...copy, startedAt: copy.startedAt.toISOString(), completedAt: copy.completedAt.toISOString() }
}

function restoredCopy(kept: NonNullable<KeptCommon['copy']>): CopyRecord {
  return { ...kept, startedAt: new Date(kept.startedAt), completedAt: new Date(kept.completedAt) }
}

export function keptBlock(block: Block): KeptBlock {
  return { id: block.id, sizeBytes: block.sizeBytes, bytes: block.bytes.id }
}

export function restoredBlock(kept: KeptBlock, store: VolumeStore): Block {
  return { id: kept.id, sizeBytes: kept.sizeBytes, bytes: store.frozenVolume(kept.bytes) }
}

/** JSON knows neither undefined nor Infinity, which both stand for a lease without an end. */
export function keptLease({ id, durationMs, endsAtMs, brokenAtMs }: HeldLease): KeptLease {
  return {
    id,
    ...(durationMs === undefined ? {} : { durationMs, endsAtMs }),
    ...(brokenAtMs === undefined ? {} : { brokenAtMs }),
  }
}

export function restoredLease(kept: KeptLease): HeldLease {
  return {
    id: kept.id,
    durationMs: kept.durationMs,
    endsAtMs: kept.endsAtMs ?? Infinity,
    brokenAtMs: kept.brokenAtMs,
  }
}

function keptPages(pages: Pages): KeptPageBlob['pages'] {
  if (isVolume(pages)) return { kind: 'volume', id: pages.id }
  if (isFrozen(pages)) return { kind: 'frozen', id: pages.id }
  throw new TypeError('exports are kept as publications')
}

function restoredPages({ kind, id }: KeptPageBlob['pages'], store: VolumeStore): Volume | FrozenVolume {
  return kind === 'volume' ? store.volume(id) : store.frozenVolume(id)
}
