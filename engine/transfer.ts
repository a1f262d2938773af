/**
 * Moves one window of address space along a route, with several requests in flight and a watermark to resume from.
 *
 *     changes (page lists) -> requests (<= 4 MiB) -> in flight -> watermark
 *
 * When access to the source or destination dies it is renewed and the window goes on from its watermark; when a server-side copy
 * is refused, or its source is good for this worker alone, bytes are streamed from there on. Other failures go up: the activity is retried from its checkpoint.
 */
import { lengthOf, type ByteRange } from '../domain/byte-range.ts'
import { isFailure } from '../domain/failures.ts'
import type { CopyMode } from '../domain/transfer-job.ts'
import { planRequests, type Change, type PageRequest } from '../domain/transfer-plan.ts'
import { HIGHEST_LIMIT } from './adaptive-limit.ts'
import type { Flow } from './flow-control.ts'
import { runRequests } from './request-pool.ts'

/** From where to where, and what. A backup and a restore are two routes. */
export interface Route {
  /**
   * What is still to be done in a window. With `isResumed`, an earlier attempt may have done part of it behind its last checkpoint.
   */
  changes(window: ByteRange, isResumed: boolean, signal?: AbortSignal): AsyncIterable<Change>
  /** Number of blobs that it writes. */
  readonly destinations: number
  /** Decides when a request goes: what leads to the blob that it writes, of several the first. */
  flowOf(request: PageRequest): Flow
  /** Does one request; safe to repeat. `streamed`: what `read` answered for it, to be written instead of copied by the service. */
  send(request: PageRequest, signal: AbortSignal, streamed?: Buffer): Promise<void>
  /** The bytes of a copy that is streamed. */
  read(range: ByteRange, signal: AbortSignal): Promise<Buffer>
  /** Takes new access after `ExportAccessLost`. @returns false where what there is turns out to be good. */
  renew(signal?: AbortSignal): Promise<boolean>
}

export interface TransferTotals {
  readonly movedBytes: number
  readonly clearedBytes: number
  readonly requests: number
  /** Of `movedBytes`, what went through this process; absent: nothing. */
  readonly streamedBytes?: number
  /** What was there already and did not have to be moved; absent: nothing. */
  readonly savedBytes?: number
}

export interface TransferState extends TransferTotals {
  /** Every byte of the window before it is durable in the destination. */
  readonly nextOffsetBytes: number
}

export interface TransferOptions {
  readonly window: ByteRange
  /** The checkpoint of an earlier attempt. */
  readonly resumeFrom?: TransferState | undefined
  /** True for every attempt but the first: its checkpoint may be older than its last write. */
  readonly isResumed: boolean
  /** How it begins; default `copy`. */
  readonly mode?: CopyMode | undefined
  readonly onProgress: (state: TransferState) => void
  readonly signal?: AbortSignal | undefined
}

/** Renewals in a row without a request done: then something else is wrong, and the retry policy takes over. */
const MAX_FRUITLESS_RENEWALS = 3

/** Resolves when the whole window is durable. Does not verify. */
export async function transfer(route: Route, options: TransferOptions): Promise<TransferState> {
  const { window, onProgress, signal } = options
  let state: TransferState = options.resumeFrom ?? { nextOffsetBytes: window.startBytes, movedBytes: 0, clearedBytes: 0, requests: 0 }
  let isResumed = options.isResumed
  let mode: CopyMode = state.streamedBytes === undefined ? (options.mode ?? 'copy') : 'stream'
  let fruitlessRenewals = 0

  while (state.nextOffsetBytes < window.endBytes) {
    const rest = { startBytes: state.nextOffsetBytes, endBytes: window.endBytes }
    const requestsBefore = state.requests
    try {
      await runRequests(planRequests(route.changes(rest, isResumed, signal)), {
        concurrency: HIGHEST_LIMIT * route.destinations,
        signal,
        run: (request, requestSignal) => run(route, request, mode, requestSignal),
        onDone: (request, watermarkBytes) => {
          state = { ...count(state, request, mode), nextOffsetBytes: watermarkBytes }
          onProgress(state)
        },
      })
      state = { ...state, nextOffsetBytes: window.endBytes }
    } catch (error) {
      // Requests that were answered behind the watermark are found at the destination instead of being sent again.
      isResumed = true
      if (isFailure(error, 'ServerSideCopyRefused') && mode === 'copy') {
        mode = 'stream'
        continue
      }
      const hasMoved = state.requests > requestsBefore || state.nextOffsetBytes > rest.startBytes
      fruitlessRenewals = hasMoved ? 0 : fruitlessRenewals + 1
      if (!isFailure(error, 'ExportAccessLost') || fruitlessRenewals > MAX_FRUITLESS_RENEWALS) throw error
      const isRenewed = await route.renew(signal)
      // This worker can read; so it is the storage service that is kept out, as by a firewall or a limit to where copies may come from.
      if (!isRenewed && mode === 'copy') mode = 'stream'
    }
  }
  onProgress(state)
  return state
}

function run(route: Route, request: PageRequest, mode: CopyMode, signal: AbortSignal): Promise<void> {
  if (request.kind === 'same') return Promise.resolve()
  const bytes = movedBytesOf(request)
  const flow = route.flowOf(request)
  if (mode === 'copy' || request.kind === 'clear') return flow.send(bytes, () => route.send(request, signal), signal)
  return flow.stream(bytes, () => route.read(request, signal), (streamed) => route.send(request, signal, streamed), signal)
}

function count(totals: TransferTotals, request: PageRequest, mode: CopyMode): TransferTotals {
  const savedBytes = (totals.savedBytes ?? 0) + (request.kind === 'same' ? lengthOf(request) : 0)
  const streamedBytes = (totals.streamedBytes ?? 0) + (mode === 'stream' ? movedBytesOf(request) : 0)
  return {
    ...(streamedBytes > 0 && { streamedBytes }),
    ...(savedBytes > 0 && { savedBytes }),
    movedBytes: totals.movedBytes + movedBytesOf(request),
    clearedBytes: totals.clearedBytes + (request.kind === 'clear' ? lengthOf(request) : 0),
    requests: totals.requests + (request.kind === 'same' ? 0 : 1),
  }
}

function movedBytesOf(request: PageRequest): number {
  return request.kind === 'copy' ? lengthOf(request) : 0
}
