/**
 * The content of a recovery point, wherever it lies: in page blobs of the target, or in a snapshot that Azure copied, which is read by
 * its export.
 */
import type { ByteRange } from '../domain/byte-range.ts'
import { openDiskCopy } from './disk-copy.ts'
import type { Engine } from './engine.ts'
import { pointBlobOf, type PointContent } from './restore-job.ts'

/** Where the storage service finds a range, and how it may read it. */
export interface CopySource {
  readonly url: string
  readonly offsetBytes: number
  /** A bearer token; absent: the URL has its own right. */
  readonly sourceAuthorization?: string
}

export interface PointImage {
  /** Where it holds something, sorted and disjoint. */
  allocated(window: ByteRange, signal?: AbortSignal): AsyncGenerator<ByteRange>
  read(range: ByteRange, signal?: AbortSignal): Promise<Buffer>
  sourceOf(range: ByteRange, signal?: AbortSignal): Promise<CopySource>
  /** Takes new access, where it was lost. @returns whether it was. */
  renew(signal?: AbortSignal): Promise<boolean>
}

export function pointImageOf(engine: Engine, point: PointContent): PointImage {
  if (point.copy !== undefined) return snapshotImage(engine, point.copy.snapshotId)
  const blob = pointBlobOf(engine, point)
  return {
    allocated: (window, signal) => blob.allocated(window, signal),
    read: (range, signal) => blob.read(range, signal),
    sourceOf: async (range, signal) => ({ ...blob.sourceOf(range), sourceAuthorization: await engine.azure.storageToken(signal) }),
    // The token of the identity is renewed by the SDK; there is no SAS that could die.
    renew: () => Promise.resolve(false),
  }
}

/** Ends the access to a point that was taken to read it. Safe to run twice. */
export async function releasePoint(engine: Engine, { copy }: PointContent, signal?: AbortSignal): Promise<void> {
  if (copy !== undefined) await engine.exports.revoke(copy.snapshotId, signal)
}

function snapshotImage(engine: Engine, snapshotId: string): PointImage {
  /** The first since access was taken anew: requests that still use it fail when it dies, also where others have a new one. */
  let usedUrl = ''
  return {
    async *allocated(window, signal) {
      yield* (await openDiskCopy(engine, snapshotId, 'read', signal)).allocated(window, signal)
    },
    async read(range, signal) {
      const copy = await openDiskCopy(engine, snapshotId, 'read', signal)
      return Buffer.from(await copy.read(range, signal ?? NEVER))
    },
    async sourceOf({ startBytes }, signal) {
      const url = await engine.exports.read(snapshotId, signal)
      usedUrl ||= url
      return { url, offsetBytes: startBytes }
    },
    async renew(signal) {
      const staleUrl = usedUrl
      usedUrl = ''
      return staleUrl !== '' && (await engine.exports.renew(snapshotId, staleUrl, signal)) !== staleUrl
    },
  }
}

const NEVER = new AbortController().signal
