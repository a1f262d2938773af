/**
 * What somebody asks of a restore: from what, by which way, into what. Plain data that travels through Temporal; nothing in
 * here says that it can be done (`engine/plan-restore.ts`).
 */
import type { AnyPoint } from './recovery-point.ts'
import type { DiskAttachment } from './attachment.ts'

/** Either a point by its id, or the newest one of a disk (at `at`). */
export interface PointChoice {
  readonly targetUrl: string
  readonly pointId?: string
  readonly diskId?: string
  /** ISO instant. */
  readonly at?: string
  /** Also a point whose bytes were found to differ from its digests. */
  readonly allowsSuspect?: boolean
  /** Only a point whose bytes were compared with its digests since it was sealed. */
  readonly mustBeVerified?: boolean
}

export interface SourceChoice extends PointChoice {
  /** Instead of a point, what the base blob of `diskId` holds now; no seal vouches for it. */
  readonly isBaseBlob?: boolean
}

/**
 * How the bytes get into the new disk. `upload`: copied into an upload disk, in any region, subscription or tenant.
 * `import`: Azure imports a temporary copy of the page blob, in the region of the storage account only. `source-snapshot`:
 * Azure makes the disk from the source snapshot of the point, in its region and while it still lives.
 */
export type RestoreWay = 'upload' | 'import' | 'source-snapshot'

export interface RestoreRequest extends SourceChoice {
  /** Default: upload. */
  readonly way?: RestoreWay
  /** ARM id of the target's storage account; an import needs it. */
  readonly storageAccountId?: string
  /** The disk to make; or `toSnapshotId`. */
  readonly toDiskId?: string
  /** The snapshot to make, of a temporary disk. */
  readonly toSnapshotId?: string
  /** Of the snapshot; default: a full one. */
  readonly isIncremental?: boolean
  readonly region: string
  readonly sku?: string
  /** `none` puts it into no zone, although the source disk was in one. */
  readonly zone?: string
  readonly osType?: string
  readonly hyperVGeneration?: string
  /** ARM id: the disk is made under a key of this set. */
  readonly diskEncryptionSetId?: string
  /** A drill: what is made is read and deleted, so it gets no settings of the old disk. */
  readonly isThrowAway?: boolean
  /** Tells a retry of this restore from another one. */
  readonly requestId: string
}

/** What a restore is made from, for results and messages. */
export interface RestoreOrigin {
  readonly diskId: string
  /** ISO instant whose content it holds, where that is known. */
  readonly takenAt?: string
  /** Absent: the base blob as it is, which no seal vouches for. */
  readonly point?: AnyPoint
  /** Absent: the point is a snapshot that Azure copied. */
  readonly baseBlobName?: string
}

/** `point 2026…`, `base blob disks/… (not sealed)`. */
export function originLabel({ point, baseBlobName }: RestoreOrigin): string {
  return point === undefined ? `base blob ${baseBlobName} (not sealed)` : `point ${point.id}`
}

/** Transfers of one upload before what still differs from its origin is given up. */
export const MAX_RESTORE_ROUNDS = 3

/** What to do about a disk that was not equal to its origin. */
export const MAY_BE_DAMAGED = 'Run it again; if it happens again, the point itself may be damaged: "snapferry verify run" finds out, and an older point is another way'

/** A disk of a group that is restored together. */
export interface GroupMember {
  /** The disk that was backed up. */
  readonly diskId: string
  readonly pointId: string
  readonly takenAt: string
  readonly toDiskId: string
  readonly attachment?: DiskAttachment
}
