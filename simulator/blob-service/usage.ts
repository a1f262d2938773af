import type { FrozenVolume } from '../store/volume.ts'
import type { Account } from './model/account.ts'
import { contentLength, isFrozen, isVolume, type Blob, type BlobState } from './model/blob.ts'

/**
 * What blobs take up, as storage is billed: a base by its allocated pages, a snapshot by those pages that its successor
 * does not share with it (MicrosoftDocs/azure-docs, snapshots-overview.md). Blobs of two names share nothing. A page
 * that was written again with the same bytes is another page.
 */

export interface StateUsage {
  /** Undefined for the base. */
  readonly snapshot: string | undefined
  readonly allocatedBytes: number
  /** What it adds to the bill. */
  readonly uniqueBytes: number
}

export interface BlobUsage {
  readonly container: string
  readonly blob: string
  /** Snapshots, oldest first, then the base. */
  readonly states: readonly StateUsage[]
  readonly uniqueBytes: number
}

/** Of every blob of an account, in the order of names. */
export function accountUsage(account: Account): BlobUsage[] {
  return [...account.containers.values()].flatMap((container) =>
    container.sortedNames().flatMap((name) => {
      const blob = container.blob(name)
      return blob === undefined ? [] : [blobUsage(container.name, blob)]
    }),
  )
}

function blobUsage(container: string, blob: Blob): BlobUsage {
  const all: (readonly [string | undefined, BlobState])[] = [...blob.snapshots]
  if (blob.base !== undefined) all.push([undefined, blob.base])
  const states = all.map(([snapshot, state], index) => ({
    snapshot,
    allocatedBytes: allocatedBytes(state),
    uniqueBytes: uniqueBytes(state, all[index + 1]?.[1]),
  }))
  return { container, blob: blob.name, states, uniqueBytes: states.reduce((sum, each) => sum + each.uniqueBytes, 0) }
}

function allocatedBytes(state: BlobState): number {
  return state.type === 'PageBlob' ? state.pages.allocatedBytes() : contentLength(state)
}

function uniqueBytes(state: BlobState, successor: BlobState | undefined): number {
  if (successor === undefined) return allocatedBytes(state)
  if (state.type === 'BlockBlob') return uniqueBlockBytes(state, successor)
  const own = pagesOf(state)
  const next = pagesOf(successor)
  if (own === undefined || next === undefined) return allocatedBytes(state)
  let bytes = 0
  // Seen from the successor, what the older one holds and it does not is what was "written" in the older one.
  for (const span of own.diffSince(next)) if (!span.isClear) bytes += span.endBytes - span.startBytes + 1
  return bytes
}

function uniqueBlockBytes(state: BlobState & { type: 'BlockBlob' }, successor: BlobState): number {
  const shared = new Set(successor.type === 'BlockBlob' ? successor.blocks : [])
  return state.blocks.reduce((sum, block) => sum + (shared.has(block) ? 0 : block.sizeBytes), 0)
}

function pagesOf(state: BlobState): FrozenVolume | undefined {
  if (state.type !== 'PageBlob') return undefined
  if (isVolume(state.pages)) return state.pages.freeze()
  return isFrozen(state.pages) ? state.pages : undefined
}
