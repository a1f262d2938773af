/** The route of a backup: from a source snapshot's export into the base blob, every write fenced by the epoch. */
import { readSource } from '../azure/source-blob.ts'
import { laterBatches, throughBatches, type BatchStream } from '../domain/batches.ts'
import type { ByteRange } from '../domain/byte-range.ts'
import { stripeAt } from '../domain/stripes.ts'
import { sweep } from '../domain/sweep.ts'
import type { TransferJob } from '../domain/transfer-job.ts'
import type { Change } from '../domain/transfer-plan.ts'
import type { Engine } from './engine.ts'
import { sourceChanges } from './source-changes.ts'
import { baseBlobOf, type StripedBlob } from './striped-blob.ts'
import type { Route } from './transfer.ts'
import type { WrittenSums } from './written-sums.ts'

export interface BackupRouteOptions {
  /** Read these ranges again instead of what the diff says. */
  readonly repair?: readonly ByteRange[] | undefined
  /** Is told the checksum of what was written. */
  readonly sums?: WrittenSums | undefined
}

/** Safe beside a dead attempt of itself: within an epoch every write of a page carries the same bytes. */
export function backupRoute(engine: Engine, job: TransferJob, { repair, sums }: BackupRouteOptions = {}): Route {
  const base = baseBlobOf(engine, job)
  const flows = base.stripes.map(({ url }) => engine.flows.open(url, job.cap))
  const used = new Map<string, string>()
  // The first of several since the last renewal: what was refused may have begun with it.
  const note = (snapshotId: string, url: string): void => {
    if (!used.has(snapshotId)) used.set(snapshotId, url)
  }
  const { toSnapshotId, fromSnapshotId, blobBytes } = job
  const sourceUrl = async (signal?: AbortSignal): Promise<string> => {
    const url = await engine.exports.read(toSnapshotId, signal, blobBytes)
    note(toSnapshotId, url)
    return url
  }
  return {
    destinations: base.stripes.length,
    flowOf: ({ startBytes }) => flows[stripeAt(job.striping, startBytes)]!,
    changes(window, isResumed, signal) {
      if (isResumed) sums?.restarted()
      return laterBatches(async () => {
        if (fromSnapshotId === undefined) await sourceUrl(signal)
        else {
          const { url, previousUrl } = await engine.exports.readBoth(toSnapshotId, fromSnapshotId, signal, blobBytes)
          note(toSnapshotId, url)
          note(fromSnapshotId, previousUrl)
        }
        const changes = sourceChanges(engine, job, window, { repair, signal })
        return isResumed && repair === undefined ? withoutWritten(job, base, window, changes, signal) : changes
      })
    },
    async send(request, signal, streamed) {
      if (request.kind === 'clear') return base.clear(request, job.epoch, signal)
      const checksum =
        streamed === undefined
          ? await base.copyFrom(await sourceUrl(signal), request, job.epoch, signal)
          : await base.write(request, streamed, job.epoch, signal)
      if (checksum !== undefined) sums?.note(request, checksum, streamed === undefined ? 'service-checksum' : 'source-stream')
    },
    async read(range, signal) {
      return readSource(engine.azure, await sourceUrl(signal), range, signal)
    },
    async renew(signal) {
      let isRenewed = false
      const stale = [...used]
      used.clear()
      for (const [snapshotId, staleUrl] of stale) isRenewed = (await engine.exports.renew(snapshotId, staleUrl, signal)) !== staleUrl || isRenewed
      return isRenewed
    },
  }
}

/**
 * Leaves out copies whose pages this run has already written, by the base blob's own word: since its baseline nobody but the
 * holder of the epoch can have written, so a page in that diff holds the bytes of the source snapshot. This makes an attempt
 * after a crash repeat only what had not been answered, however old the last checkpoint is.
 */
function withoutWritten(
  job: TransferJob,
  base: StripedBlob,
  window: ByteRange,
  changes: AsyncIterable<Change>,
  signal: AbortSignal | undefined,
): BatchStream<Change> {
  const segments = sweep({ change: changes, written: writtenBy(job, base, window, signal) })
  return throughBatches(segments, ({ startBytes, endBytes, at }, emit: (change: Change) => void) => {
    if (at.change === undefined || (at.change.kind === 'copy' && at.written !== undefined)) return
    emit({ kind: at.change.kind, startBytes, endBytes })
  })
}

/** Pages that this run has written so far, by the base blob's own diff since the baseline. */
export function writtenBy(job: TransferJob, base: StripedBlob, window: ByteRange, signal?: AbortSignal): BatchStream<ByteRange> {
  return throughBatches(base.changedSince(job.baseline, window, signal), (change, emit: (range: ByteRange) => void) => {
    if (change.kind === 'copy') emit(change)
  })
}
