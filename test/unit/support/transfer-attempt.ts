/** Attempts of a transfer over one window, with changes that make one request each. */
import { PAGE_BYTES } from '../../../domain/byte-range.ts'
import { BackupError, type FailureType } from '../../../domain/failures.ts'
import type { Change } from '../../../domain/transfer-plan.ts'
import type { TransferOptions, TransferState } from '../../../engine/transfer.ts'

export const WINDOW = { startBytes: 0, endBytes: 100 * PAGE_BYTES }

/** `count` changes of a page with a gap of a page between them. */
export function changesOf(count: number): Change[] {
  return Array.from({ length: count }, (_, index) => ({
    kind: 'copy',
    startBytes: 2 * index * PAGE_BYTES,
    endBytes: (2 * index + 1) * PAGE_BYTES,
  }))
}

/** A first attempt over the whole window; its checkpoints are kept. */
export function firstAttempt(checkpoints: TransferState[] = []): TransferOptions {
  return { window: WINDOW, isResumed: false, onProgress: (state) => void checkpoints.push(state) }
}

export function failure(type: FailureType, retryAfterMs?: number): BackupError {
  return new BackupError({ type, message: `${type} by script`, retryAfterMs })
}
