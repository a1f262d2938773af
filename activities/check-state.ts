/** Reads back how far a comparison with digests had come, from the heartbeat of an earlier attempt. */
import type { ByteRange } from '../domain/byte-range.ts'
import type { ChunkCheckState } from '../engine/check-chunks.ts'

/** Anything unexpected counts as none: the extent starts anew. */
export function readCheckState(details: unknown, { startBytes, endBytes }: ByteRange): ChunkCheckState | undefined {
  if (typeof details !== 'object' || details === null || !('differing' in details) || !Array.isArray(details.differing)) return undefined
  const state = details as Record<keyof ChunkCheckState, unknown>
  const { nextOffsetBytes, comparedBytes, comparedChunks } = state
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value)
  if (!isCount(nextOffsetBytes) || !isCount(comparedBytes) || !isCount(comparedChunks)) return undefined
  if (nextOffsetBytes < startBytes || nextOffsetBytes > endBytes) return undefined
  return { nextOffsetBytes, comparedBytes, comparedChunks, differing: details.differing as ByteRange[] }
}
