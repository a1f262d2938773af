/**
 * Snapshots of a base blob, each named by its run: points and markers, one a stripe.
 *
 * Snapshot Blob is not idempotent: every call makes another one, and an answer may be lost. So each carries key and epoch of
 * its run in its metadata, and is looked for before it is taken. The epoch tells it from what an earlier run of the same request
 * left behind: that holds other bytes.
 */
import type { ListedBlob } from '../azure/blob-lists.ts'
import type { BlobSnapshot, FencedBlob } from '../azure/fenced-blob.ts'
import { listStripes } from '../azure/stripe-lists.ts'
import type { Engine } from './engine.ts'

export type BlobSnapshotKind = 'point' | 'marker'

const RUN_KEY = 'snapferryrun'
const KIND_KEY = 'snapferrykind'
const EPOCH_KEY = 'snapferryepoch'

export interface TakeOptions {
  readonly kind: BlobSnapshotKind
  readonly runKey: string
  /** The one that the run opened the base blob with. */
  readonly epoch: number
  /** The state of the blob that is meant: another one is refused (412). */
  readonly etag: string
  readonly signal?: AbortSignal | undefined
}

/**
 * The run's snapshot of that kind; taken if there is none. Where a lost call left two, the older one counts: both hold the same
 * bytes, since both were conditional on the same ETag.
 *
 * @param known snapshots of the blob, oldest first.
 */
export async function findOrTakeSnapshot(blob: FencedBlob, known: readonly OurSnapshot[], options: TakeOptions): Promise<string> {
  const { kind, runKey, epoch, etag, signal } = options
  const found = known.find((one) => one.blobName === blob.name && one.runKey === runKey && one.kind === kind && one.epoch === epoch)
  if (found !== undefined) return found.snapshot
  const taken = await blob.snapshot({ [RUN_KEY]: runKey, [KIND_KEY]: kind, [EPOCH_KEY]: String(epoch) }, etag, signal)
  return taken.snapshot
}

export interface OurSnapshot {
  readonly blobName: string
  readonly snapshot: string
  readonly runKey: string
  readonly kind: string | undefined
  readonly epoch: number
}

/** Every snapshot of any stripe that carries our mark, oldest first. */
export async function listOurSnapshots(
  { azure }: Pick<Engine, 'azure'>,
  { targetUrl, baseBlobName }: { readonly targetUrl: string; readonly baseBlobName: string },
  signal?: AbortSignal,
): Promise<OurSnapshot[]> {
  const listed: ListedBlob[] = []
  for await (const blob of listStripes(azure, targetUrl, baseBlobName, signal)) listed.push(blob)
  return ourSnapshotsOf(listed)
}

/** Those of a list that carry our mark, oldest first. */
export function ourSnapshotsOf(listed: readonly ListedBlob[]): OurSnapshot[] {
  return listed
    .flatMap(({ name, snapshot, metadata }) => {
      const ours = snapshot === undefined ? undefined : ourSnapshotOf({ snapshot, metadata })
      return ours === undefined ? [] : [{ blobName: name, ...ours }]
    })
    .sort((a, b) => a.snapshot.localeCompare(b.snapshot))
}

/** undefined where a snapshot does not carry our mark. */
export function ourSnapshotOf({ snapshot, metadata }: BlobSnapshot): Omit<OurSnapshot, 'blobName'> | undefined {
  const runKey = metadata[RUN_KEY]
  return runKey === undefined ? undefined : { snapshot, runKey, kind: metadata[KIND_KEY], epoch: Number(metadata[EPOCH_KEY]) }
}
