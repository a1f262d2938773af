/** Closes the digest table of a run and takes the snapshot of it that belongs to the point. */
import { CHUNK_BYTES, DIGEST_ALGORITHM, type DigestBasis } from '../domain/digest-table.ts'
import { BackupError } from '../domain/failures.ts'
import type { PointDigests } from '../domain/manifest.ts'
import { findOrTakeSnapshot, listOurSnapshots } from './blob-snapshots.ts'
import { decideAnew } from './decide-anew.ts'
import { digestBlobOf } from './digest-blobs.ts'
import type { Engine } from './engine.ts'

export interface SealDigestsOptions {
  readonly targetUrl: string
  readonly baseBlobName: string
  readonly runKey: string
  readonly epoch: number
  /** Absent: the run kept no digests. */
  readonly digestBasis?: DigestBasis
  readonly signal?: AbortSignal | undefined
}

/** Safe to run twice: the snapshot is found by its run key. @throws BackupError FencedOut */
export async function sealDigests(engine: Engine, options: SealDigestsOptions): Promise<PointDigests | undefined> {
  const { runKey, epoch, digestBasis, signal } = options
  if (digestBasis === undefined) return undefined
  const table = digestBlobOf(engine, options)
  const snapshot = await decideAnew(table.snapshots, signal, async () => {
    await table.raise(epoch, 'sealed', signal)
    const found = await table.properties(signal)
    if (found === undefined) throw tableGone(table.name)
    const known = await listOurSnapshots(engine, { targetUrl: options.targetUrl, baseBlobName: table.name }, signal)
    return findOrTakeSnapshot(table.snapshots, known, { kind: 'point', runKey, epoch, etag: found.etag, signal })
  })
  return { name: table.name, snapshot, chunkBytes: CHUNK_BYTES, algorithm: DIGEST_ALGORITHM, basis: digestBasis }
}

function tableGone(name: string): BackupError {
  return new BackupError({
    type: 'FencedOut',
    message: `digest table ${name} was deleted while a run had it open; no point was made, the next run makes a new table`,
    facts: { blobName: name },
  })
}
