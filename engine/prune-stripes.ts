/**
 * Deletes stripes of an earlier layout that no point needs any more.
 *
 * Only while they are as they were listed: a run that deals the disk out over more stripes again lifts their epochs first, and
 * then they stay.
 */
import { FencedBlob } from '../azure/fenced-blob.ts'
import type { ListedStripe } from '../azure/stripe-lists.ts'
import { isStripeMetadata } from '../domain/base-blob-state.ts'
import type { Striping } from '../domain/stripes.ts'
import type { OurSnapshot } from './blob-snapshots.ts'
import type { Engine } from './engine.ts'

/** @param deleted snapshots that were deleted since the listing. */
export async function pruneStripes(
  engine: Engine,
  targetUrl: string,
  striping: Striping,
  listed: readonly ListedStripe[],
  deleted: readonly OurSnapshot[],
  signal?: AbortSignal,
): Promise<void> {
  const isDeleted = ({ name, snapshot }: ListedStripe): boolean =>
    deleted.some((one) => one.blobName === name && one.snapshot === snapshot)
  const left = new Set(listed.filter((one) => one.snapshot !== undefined && !isDeleted(one)).map(({ name }) => name))
  for (const { name, stripe, snapshot, metadata, etag } of listed) {
    const isSpare = snapshot === undefined && stripe >= striping.count && isStripeMetadata(metadata) && !left.has(name)
    if (isSpare) await new FencedBlob(engine.azure, targetUrl, name).deleteUnchanged(etag, signal)
  }
}
