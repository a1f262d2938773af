/**
 * Tries again what may succeed later, for work that no Temporal looks after: with pauses that grow, until it succeeds or
 * several attempts in a row got nowhere.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { FAILURES, isFailure, type BackupError } from '../domain/failures.ts'
import { transfer, type Route, type TransferOptions, type TransferState } from './transfer.ts'

export interface PersistOptions {
  /** Attempts in a row that got nowhere; about ten minutes of pauses by default. */
  readonly fruitlessAttempts?: number
  readonly firstPauseMs?: number
  /** Told before each pause. */
  readonly onRetry?: (error: BackupError, pauseMs: number) => void
  readonly signal?: AbortSignal | undefined
}

const FRUITLESS_ATTEMPTS = 12
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000

/** @param getsFurther asked after a failure: whether the attempt moved something. */
export async function persist<Result>(
  work: () => Promise<Result>,
  options: PersistOptions = {},
  getsFurther: () => boolean = () => false,
): Promise<Result> {
  const { fruitlessAttempts = FRUITLESS_ATTEMPTS, firstPauseMs = FIRST_PAUSE_MS, onRetry, signal } = options
  let fruitless = 0
  for (;;) {
    try {
      return await work()
    } catch (error) {
      fruitless = getsFurther() ? 1 : fruitless + 1
      const mayRetry = isFailure(error) && FAILURES[error.type].retry === 'later' && fruitless < fruitlessAttempts
      if (!mayRetry || signal?.aborted === true) throw error
      const pauseMs = error.retryAfterMs ?? Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** (fruitless - 1))
      onRetry?.(error, pauseMs)
      await sleep(pauseMs, undefined, signal === undefined ? {} : { signal })
    }
  }
}

/** `transfer` that goes on from its own checkpoint after failures that pass. */
export async function transferPersistently(
  route: Route,
  options: TransferOptions,
  patience: PersistOptions = {},
): Promise<TransferState> {
  let { resumeFrom, isResumed } = options
  let requestsBefore = resumeFrom?.requests ?? 0
  return persist(
    () =>
      transfer(route, {
        ...options,
        resumeFrom,
        isResumed,
        onProgress(state) {
          resumeFrom = state
          options.onProgress(state)
        },
      }),
    { signal: options.signal, ...patience },
    () => {
      isResumed = true
      const hasMoved = (resumeFrom?.requests ?? 0) > requestsBefore
      requestsBefore = resumeFrom?.requests ?? 0
      return hasMoved
    },
  )
}
