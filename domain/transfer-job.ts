/**
 * What a transfer needs to know: plain data that every extent of a run shares. It travels through Temporal, so it names
 * resources and never holds a SAS.
 */
import type { BackupPlan } from './backup-plan.ts'
import type { ByteRange } from './byte-range.ts'
import type { GapRule } from './gap-rule.ts'
import { blobBytesOf, VHD_FOOTER_BYTES, type SourceSnapshot } from './source-disk.ts'
import type { Striping } from './stripes.ts'

/** `copy`: by the storage service, from URL to URL. `stream`: read and written by the worker. */
export type CopyMode = 'copy' | 'stream'

export interface BlobSnapshotRef {
  /** The value of `x-ms-snapshot`. */
  readonly snapshot: string
  readonly sizeBytes: number
}

/** A base blob that a run has opened: fenced, sized and marked dirty. */
export interface OpenedBase {
  readonly targetUrl: string
  readonly baseBlobName: string
  readonly striping: Striping
  /** The fence: every write of the run carries it. */
  readonly epoch: number
  /** The base blob as the run found it, one a stripe. Its own diff since then is what this run wrote. */
  readonly baseline: readonly BlobSnapshotRef[]
  /** The last point, where something was written between it and the baseline that no point holds. */
  readonly leftoversSince?: readonly BlobSnapshotRef[]
}

/** Bringing an opened base blob to a source snapshot. */
export interface TransferJob extends OpenedBase {
  /** Bytes of the base blob, all stripes together: the disk and its footer. */
  readonly blobBytes: number
  /** The source snapshot that the base blob shall equal. */
  readonly toSnapshotId: string
  /** The cursor; absent for a transfer of everything allocated. */
  readonly fromSnapshotId?: string
  /** After growth the old footer lies inside the disk, and no document says that a diff reports it. */
  readonly oldFooter?: ByteRange
  /** Damaged since they were written: read again from the source, whole chunks each. */
  readonly mend?: readonly ByteRange[]
  /** Gaps between changes that are copied along where that saves a request; absent: none (`fill-gaps.ts`). */
  readonly gaps?: GapRule
  readonly cap?: RateCap
  /** How the transfer begins; default `copy`. */
  readonly mode?: CopyMode
  /** Of a reseed that passes over what the base blob holds already; absent: everything is moved. */
  readonly comparison?: Comparison
}

/** What the content of the base blob is known by, chunk by chunk. */
export interface Comparison {
  /** The last point's digest table, by its `x-ms-snapshot`, and the bytes that its base blob had. */
  readonly digests?: { readonly tableSnapshot: string; readonly sizeBytes: number }
  /** Chunks whose digest is not known are read on both sides instead of moved. */
  readonly readsBase: boolean
}

/** A cap on what each worker writes, shared by all transfers that name it. */
export interface RateCap {
  readonly name: string
  readonly maxMibPerSecond: number
}

export function transferJobOf(
  opened: OpenedBase,
  plan: BackupPlan,
  snapshot: SourceSnapshot,
  how: Pick<TransferJob, 'gaps' | 'cap' | 'mode' | 'comparison' | 'mend'> = {},
): TransferJob {
  const job = {
    ...opened,
    ...how,
    blobBytes: blobBytesOf(snapshot.sizeBytes),
    toSnapshotId: snapshot.id,
  }
  if (plan.kind !== 'incremental') return job
  const { snapshotId, sizeBytes } = plan.cursor
  const oldFooter = { startBytes: sizeBytes, endBytes: sizeBytes + VHD_FOOTER_BYTES }
  return { ...job, fromSnapshotId: snapshotId, ...(sizeBytes < snapshot.sizeBytes && { oldFooter }) }
}
