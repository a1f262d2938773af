/**
 * Snapshots of the base blob, each named by its run: points and markers.
 *
 * Snapshot Blob is not idempotent: every call makes another one, and an answer may be lost. So each carries key and epoch of
 * its run in its metadata, and is looked for before it is taken. The epoch tells it from what an earlier run of the same request
 * left behind: that holds other bytes.
 */
import type { BaseBlob, BlobSnapshot } from '../azure/base-blob.ts'

export type BlobSnapshotKind = 'point' | 'marker'

const RUN_KEY = 'snapferryrun'
const KIND_KEY = 'snapferrykind'
const EPOCH_KEY = 'snapferryepoch'

export interface TakeOptions {
  readonly kind: BlobSnapshotKind
  readonly runKey: string
  /** The one that the run opened the base blob with. */
  readonly epoch: number
  /** The state of the base blob that is meant: another one is refused (412). */
  readonly etag: string
  readonly signal?: AbortSignal | undefined
}

/**
 * The run's snapshot of that kind; taken if there is none. Where a lost call left two, the older one counts: both hold the same
 * bytes, since both were conditional on the same ETag.
 */
export async function findOrTakeSnapshot(base: BaseBlob, { kind, runKey, epoch, etag, signal }: TakeOptions): Promise<string> {
  const all = await listOurSnapshots(base, signal)
  const found = all.find((one) => one.runKey === runKey && one.kind === kind && one.epoch === epoch)
  if (found !== undefined) return found.snapshot
  const taken = await base.snapshot({ [RUN_KEY]: runKey, [KIND_KEY]: kind, [EPOCH_KEY]: String(epoch) }, etag, signal)
  return taken.snapshot
}

export interface OurSnapshot {
  readonly snapshot: string
  readonly runKey: string
  readonly kind: string | undefined
  readonly epoch: number
}

/** Every snapshot of the base blob that carries our mark, oldest first. */
export async function listOurSnapshots(base: BaseBlob, signal?: AbortSignal): Promise<OurSnapshot[]> {
  const all = await base.listSnapshots(signal)
  return all
    .map(ourSnapshotOf)
    .filter((ours) => ours !== undefined)
    .sort((a, b) => a.snapshot.localeCompare(b.snapshot))
}

/** undefined where a snapshot does not carry our mark. */
export function ourSnapshotOf({ snapshot, metadata }: BlobSnapshot): OurSnapshot | undefined {
  const runKey = metadata[RUN_KEY]
  return runKey === undefined ? undefined : { snapshot, runKey, kind: metadata[KIND_KEY], epoch: Number(metadata[EPOCH_KEY]) }
}
