/** A route between two lists in memory. Tests script its faults; what it was asked is kept. */
import { PAGE_BYTES, clip, type ByteRange } from '../../../domain/byte-range.ts'
import type { Change, PageRequest } from '../../../domain/transfer-plan.ts'
import { FlowControl } from '../../../engine/flow-control.ts'
import type { CopyMode } from '../../../domain/transfer-job.ts'
import type { Route } from '../../../engine/transfer.ts'

export interface Sent extends PageRequest {
  readonly mode: CopyMode
}

export interface MemoryRouteOptions {
  /** Throws what the send of a request shall fail with. `attempt` counts from 1 for each request. */
  readonly onSend?: (request: PageRequest, mode: CopyMode, attempt: number, signal: AbortSignal) => Promise<void> | void
  /** Throws what listing a window shall fail with. */
  readonly onList?: (window: ByteRange, listing: number) => void
  readonly onRead?: (range: ByteRange, signal: AbortSignal) => Promise<void> | void
  /** False: the access is good as it is. */
  readonly onRenew?: () => Promise<boolean | void> | boolean | void
}

export interface MemoryRoute extends Route {
  /** Requests that reached the destination, in the order of their arrival. */
  readonly sent: Sent[]
  readonly listings: { readonly window: ByteRange; readonly isResumed: boolean }[]
  renewals: number
  /** Whether every page of these changes before an offset has arrived, as the kind of its change. */
  holds(changes: readonly Change[], beforeBytes: number): boolean
}

export function createMemoryRoute(source: readonly Change[], options: MemoryRouteOptions = {}): MemoryRoute {
  const destination = new Map<number, Change['kind']>()
  const attempts = new Map<number, number>()
  const isHeld = (change: ByteRange & { kind: Change['kind'] }) =>
    pageOffsetsOf(change).every((offsetBytes) => destination.get(offsetBytes) === change.kind)
  const flow = new FlowControl().open('blob')
  const route: MemoryRoute = {
    destinations: 1,
    flowOf: () => flow,
    sent: [],
    listings: [],
    renewals: 0,
    holds: (changes, beforeBytes) =>
      changes.every(({ kind, ...range }) => {
        const part = clip(range, { startBytes: 0, endBytes: beforeBytes })
        return part === undefined || isHeld({ kind, ...part })
      }),
    async *changes(window, isResumed) {
      route.listings.push({ window, isResumed })
      options.onList?.(window, route.listings.length)
      for (const { kind, ...range } of source) {
        const part = clip(range, window)
        // As the routes of the engine do, an attempt that resumes leaves out what the destination holds.
        if (part !== undefined && !(isResumed && isHeld({ kind, ...part }))) yield { kind, ...part }
      }
    },
    async send(request, signal, streamed) {
      const mode = streamed === undefined ? 'copy' : 'stream'
      const attempt = (attempts.get(request.startBytes) ?? 0) + 1
      attempts.set(request.startBytes, attempt)
      await options.onSend?.(request, mode, attempt, signal)
      signal.throwIfAborted()
      for (const offsetBytes of pageOffsetsOf(request)) destination.set(offsetBytes, request.kind)
      route.sent.push({ ...request, mode })
    },
    async read(range, signal) {
      await options.onRead?.(range, signal)
      return Buffer.alloc(range.endBytes - range.startBytes)
    },
    async renew() {
      route.renewals += 1
      return (await options.onRenew?.()) ?? true
    },
  }
  return route
}

function pageOffsetsOf({ startBytes, endBytes }: ByteRange): number[] {
  return Array.from({ length: (endBytes - startBytes) / PAGE_BYTES }, (_, index) => startBytes + index * PAGE_BYTES)
}
