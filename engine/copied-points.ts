/** The points of a chain that Azure copied (`engine: copy-start`), and what may be deleted when they go. */
import { deleteManifest, listManifests, readManifest } from '../azure/manifests.ts'
import { isFailure } from '../domain/failures.ts'
import { isCopied, type CopiedManifest } from '../domain/manifest.ts'
import { manifestName } from '../domain/names.ts'
import { newestFirst } from '../domain/recovery-point.ts'
import type { Engine } from './engine.ts'

export interface CopiedPoints {
  /** Newest first. */
  readonly points: readonly CopiedManifest[]
  /** Ids of those that cannot be read: they are neither counted nor deleted, nor are their snapshots. */
  readonly unreadable: ReadonlySet<string>
}

export async function listCopiedPoints(
  engine: Engine,
  { targetUrl, chain }: { readonly targetUrl: string; readonly chain: string },
  signal?: AbortSignal,
): Promise<CopiedPoints> {
  const points: CopiedManifest[] = []
  const unreadable = new Set<string>()
  for await (const { blobName, pointId } of listManifests(engine.azure, targetUrl, { chain }, signal)) {
    try {
      const manifest = await readManifest(engine.azure, targetUrl, blobName, signal)
      if (isCopied(manifest) && manifest.id === pointId) points.push(manifest)
    } catch (error) {
      // Also one that was listed and is said to be missing: if it is gone, the next run sees that.
      if (!isFailure(error, 'PointDamaged', 'FormatNotSupported', 'PointNotFound')) throw error
      unreadable.add(pointId)
    }
  }
  return { points: newestFirst(points), unreadable }
}

export async function forgetCopiedPoint(
  engine: Engine,
  { targetUrl, chain }: { readonly targetUrl: string; readonly chain: string },
  pointId: string,
  signal?: AbortSignal,
): Promise<void> {
  await deleteManifest(engine.azure, targetUrl, manifestName(chain, pointId), signal)
}
