/**
 * Deletes the copies that imports have left in a target: a restore deletes its own, but one that was terminated, or whose process was
 * killed, cannot. Only what no restore can still need goes, and never another product's.
 */
import { deleteStagedBlob, listStagedBlobs } from '../azure/staged-blob.ts'
import { importPrefix } from '../domain/names.ts'
import type { Engine } from './engine.ts'

/** Azure gives a copy two weeks to end (Copy Blob, remarks); an import that waits longer does not exist. */
const MAX_AGE_MS = 15 * 24 * 3_600_000

export interface TemporariesOptions {
  readonly targetUrl: string
  readonly chain: string
  readonly nowMs?: number
  readonly signal?: AbortSignal | undefined
}

/** Safe to run twice. */
export async function pruneTemporaries({ azure }: Engine, { targetUrl, chain, nowMs = Date.now(), signal }: TemporariesOptions): Promise<void> {
  for await (const staged of listStagedBlobs(azure, targetUrl, importPrefix(chain), signal)) {
    const isSpare = staged.createdAt !== undefined && nowMs - staged.createdAt.getTime() > MAX_AGE_MS
    if (isSpare) await deleteStagedBlob(azure, staged, signal)
  }
}
