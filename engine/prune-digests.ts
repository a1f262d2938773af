/** Deletes snapshots of a digest table that belong to no point. The caller has looked at the points after the run's mark, as for the base blob. */
import type { Manifest } from '../domain/manifest.ts'
import { digestTableName } from '../domain/names.ts'
import { listOurSnapshots, type OurSnapshot } from './blob-snapshots.ts'
import { digestBlobOf } from './digest-blobs.ts'
import type { Engine } from './engine.ts'
import type { TryStep } from './try-steps.ts'

export interface KnownPoints {
  /** Ids of all points, by the names of their manifests. */
  readonly names: ReadonlySet<string>
  readonly readable: ReadonlyMap<string, Manifest>
}

/** Listed before the points are looked at: a snapshot that is taken later is not judged. */
export function listTableSnapshots(
  engine: Engine,
  of: { readonly targetUrl: string; readonly baseBlobName: string },
  signal?: AbortSignal,
): Promise<OurSnapshot[]> {
  return listOurSnapshots(engine, { targetUrl: of.targetUrl, baseBlobName: digestTableName(of.baseBlobName) }, signal)
}

export async function pruneTableSnapshots(
  engine: Engine,
  of: { readonly targetUrl: string; readonly baseBlobName: string },
  snapshots: readonly OurSnapshot[],
  openRun: string | undefined,
  points: KnownPoints,
  tryStep: TryStep,
  signal?: AbortSignal,
): Promise<void> {
  const table = digestBlobOf(engine, of)
  for (const { snapshot, runKey } of snapshots) {
    const manifest = points.readable.get(runKey)
    // A point that retention has just taken is still among those that were read, but no more among the names.
    const isNeeded = points.names.has(runKey) && (manifest === undefined || manifest.digests?.snapshot === snapshot)
    if (runKey !== openRun && !isNeeded) await tryStep(() => table.snapshots.deleteSnapshot(snapshot, signal))
  }
}
