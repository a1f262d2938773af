/** Reads the checkpoint that an earlier attempt of a transfer left in its heartbeat. Anything unexpected counts as none: the extent starts anew. */
import { activityInfo } from '@temporalio/activity'
import type { ByteRange } from '../domain/byte-range.ts'
import type { TransferState } from '../engine/transfer.ts'
import type { TransferCheckpoint } from '../workflows/messages.ts'

export function readCheckpoint(extentIndex: number, window: ByteRange): TransferState | undefined {
  const details: unknown = activityInfo().heartbeatDetails
  if (!isCheckpoint(details) || details.extentIndex !== extentIndex) return undefined
  const { nextOffsetBytes, movedBytes, clearedBytes, requests } = details
  if (nextOffsetBytes < window.startBytes || nextOffsetBytes > window.endBytes) return undefined
  const { streamedBytes, savedBytes } = details
  return {
    nextOffsetBytes,
    movedBytes,
    clearedBytes,
    requests,
    ...(Number.isSafeInteger(streamedBytes) && { streamedBytes }),
    ...(Number.isSafeInteger(savedBytes) && { savedBytes }),
  }
}

export function checkpointOf(extentIndex: number, state: TransferState): TransferCheckpoint {
  return { extentIndex, ...state }
}

function isCheckpoint(value: unknown): value is TransferCheckpoint {
  if (typeof value !== 'object' || value === null) return false
  const keys = ['extentIndex', 'nextOffsetBytes', 'movedBytes', 'clearedBytes', 'requests'] as const
  return keys.every((key) => key in value && Number.isSafeInteger((value as Record<string, unknown>)[key]))
}
