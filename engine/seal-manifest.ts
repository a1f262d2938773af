/** The manifest of a run is written once: of several attempts to seal, the first to write says what the point is. */
import { createManifest, findManifest } from '../azure/manifests.ts'
import { BackupError } from '../domain/failures.ts'
import type { AnyManifest } from '../domain/manifest.ts'
import { manifestName } from '../domain/names.ts'
import type { Engine } from './engine.ts'

export interface SealedPlace {
  readonly targetUrl: string
  readonly chain: string
  /** Also the id of the point. */
  readonly runKey: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Safe to run twice: `make` is not asked where a manifest stands.
 * @returns the one that stands, which may be another attempt's.
 * @throws BackupError PointExists where it is no manifest of this engine (`isOfEngine`).
 */
export async function sealManifest<Made extends AnyManifest>(
  engine: Engine,
  { targetUrl, chain, runKey, signal }: SealedPlace,
  isOfEngine: (manifest: AnyManifest) => manifest is Made,
  make: () => Promise<Made>,
): Promise<Made> {
  const standing =
    (await findManifest(engine.azure, targetUrl, chain, runKey, signal)) ??
    (await createManifest(engine.azure, targetUrl, manifestName(chain, runKey), await make(), signal))
  if (isOfEngine(standing)) return standing
  throw new BackupError({
    type: 'PointExists',
    message: `point ${runKey} was made at ${standing.sealedAt} by another engine while this run was going on; it stays as it is`,
    facts: { pointId: runKey },
  })
}
