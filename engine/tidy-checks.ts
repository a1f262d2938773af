/** Deletes the checks of points that are gone, and notes at suspect points which run has mended what later points share. */
import { deleteCheck, listChecks, updateCheck } from '../azure/point-checks.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { isMendedBy, mended as asMended } from '../domain/point-check.ts'
import type { Engine } from './engine.ts'
import type { TryStep } from './try-steps.ts'

export interface CheckedRun {
  readonly targetUrl: string
  readonly chain: string
  readonly runKey: string
  readonly mended?: readonly ByteRange[]
}

/** Safe to run twice. */
export async function tidyChecks(
  engine: Engine,
  { targetUrl, chain, runKey, mended }: CheckedRun,
  pointIds: ReadonlySet<string>,
  tryStep: TryStep,
  signal?: AbortSignal,
): Promise<void> {
  const { azure } = engine
  for (const [pointId, check] of await listChecks(azure, targetUrl, { chain }, signal)) {
    if (!pointIds.has(pointId)) await tryStep(() => deleteCheck(azure, targetUrl, chain, pointId, signal))
    else if (mended !== undefined && isMendedBy(check, mended)) {
      const change = (was: typeof check | undefined) => (was !== undefined && isMendedBy(was, mended) ? asMended(was, runKey) : undefined)
      await tryStep(() => updateCheck(azure, targetUrl, { chain, pointId }, change, signal))
    }
  }
}
