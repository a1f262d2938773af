/**
 * Decides how a run brings the base blob forward, from facts alone.
 *
 * The answer is a plan or a named reason; a full transfer that nobody asked for always has a cause. What only
 * the new snapshot can tell (its family, whether Azure answers the diff) is decided by `confirmPlan` afterwards.
 */
import { stripingOfState, type BaseBlobState, type CursorRef } from './base-blob-state.ts'
import { GIB } from './byte-range.ts'
import { MAX_DISK_BYTES } from './choose-striping.ts'
import type { FailureType } from './failures.ts'
import { blobBytesOf, isSealedByGuest, type SourceDisk, type SourceSnapshot } from './source-disk.ts'
import { isSameStriping, stripeSizes, type Striping } from './stripes.ts'

export const RESEED_CAUSES = {
  CursorUnknown: 'no sealed run has left a cursor in the base blob',
  CursorSnapshotGone: 'the cursor snapshot was deleted',
  CursorSnapshotReplaced: 'another snapshot stands under the name of the cursor',
  FamilyChanged: 'the new snapshot belongs to another family than the cursor',
  SizeCrossed4TiB: 'the disk grew across the 4 TiB line, where Azure answers no diff',
  DiffRefused: 'Azure refused the difference to the cursor',
  LayoutChanged: 'the disk is to be dealt out over another number of stripes',
  BaseBlobOverwritten: 'the base blob was made anew since its last recovery point',
  LastPointGone: 'the newest recovery point was deleted, so what was written since is unknown',
} as const

export type ReseedCause = keyof typeof RESEED_CAUSES

export type BackupPlan =
  | { readonly kind: 'full' }
  | { readonly kind: 'incremental'; readonly cursor: CursorRef }
  | { readonly kind: 'reseed'; readonly cause: ReseedCause }

export interface Refusal {
  readonly kind: 'refuse'
  readonly type: FailureType
  readonly reason: string
}

export interface PlanFacts {
  readonly disk: SourceDisk
  /** How the disk is to be dealt out; default: as it is. */
  readonly striping?: Striping
  /** undefined: there is no base blob yet. */
  readonly base?: {
    /** Of the first stripe. */
    readonly sizeBytes: number
    readonly state: BaseBlobState
    /** The newest point's blob snapshot and manifest are both there. */
    readonly isLastPointPresent: boolean
    /** A manifest of the run that left the base blob dirty exists: only its last mark is missing. */
    readonly isPendingSealed: boolean
  }
  /** The cursor snapshot as it is now, undefined where it is gone. */
  readonly cursorSnapshot?: SourceSnapshot
}

export function planBackup({ disk, striping, base, cursorSnapshot }: PlanFacts): BackupPlan | Refusal {
  const refusal = refuseDisk(disk)
  if (refusal !== undefined) return refusal
  if (base === undefined) return { kind: 'full' }
  const present = stripingOfState(base.state)
  if (isSmaller(disk, present, base)) {
    return {
      kind: 'refuse',
      type: 'DiskShrank',
      reason: `disk ${disk.id} has ${disk.sizeBytes} bytes, less than its base blob holds; Azure disks never shrink, so one of them is not what it was`,
    }
  }
  if (striping !== undefined && !isSameStriping(striping, present)) return { kind: 'reseed', cause: 'LayoutChanged' }
  const cursor = effectiveCursor(base.state, base.isPendingSealed)
  if (cursor === undefined) return { kind: 'reseed', cause: 'CursorUnknown' }
  if (!base.isLastPointPresent) return { kind: 'reseed', cause: 'LastPointGone' }
  if (cursorSnapshot === undefined) return { kind: 'reseed', cause: 'CursorSnapshotGone' }
  if (!sameUniqueId(cursorSnapshot.uniqueId, cursor.snapshotUniqueId)) return { kind: 'reseed', cause: 'CursorSnapshotReplaced' }
  if (crosses4TiB(cursor.sizeBytes, disk.sizeBytes)) return { kind: 'reseed', cause: 'SizeCrossed4TiB' }
  return { kind: 'incremental', cursor }
}

/** Holds the plan against the snapshot that was really taken. */
export function confirmPlan(plan: BackupPlan, snapshot: SourceSnapshot): BackupPlan {
  if (plan.kind !== 'incremental') return plan
  const { cursor } = plan
  if (crosses4TiB(cursor.sizeBytes, snapshot.sizeBytes)) return { kind: 'reseed', cause: 'SizeCrossed4TiB' }
  const isOneFamily =
    cursor.familyId === undefined || snapshot.familyId === undefined || sameUniqueId(cursor.familyId, snapshot.familyId)
  return isOneFamily ? plan : { kind: 'reseed', cause: 'FamilyChanged' }
}

/** The snapshot that the base blob was brought to last: a sealed run whose last mark was lost counts as done. */
export function effectiveCursor(state: BaseBlobState, isPendingSealed: boolean): CursorRef | undefined {
  return state.condition === 'dirty' && isPendingSealed ? state.pending : state.cursor
}

/** While a run has it open, the blob may still have the size of an earlier layout: then its mark tells. */
function isSmaller(disk: SourceDisk, present: Striping, { sizeBytes, state }: NonNullable<PlanFacts['base']>): boolean {
  if (state.pending !== undefined) return state.pending.sizeBytes > disk.sizeBytes
  const [wantedBytes = 0] = stripeSizes(present, blobBytesOf(disk.sizeBytes))
  return sizeBytes > wantedBytes
}

function refuseDisk(disk: SourceDisk): Refusal | undefined {
  if (disk.shape.logicalSectorBytes !== 512) {
    return {
      kind: 'refuse',
      type: 'SectorSizeNotSupported',
      reason:
        `disk ${disk.id} has ${disk.shape.logicalSectorBytes}-byte sectors; Azure exports its snapshots as VHDX, ` +
        'which is not supported yet. Use Azure\'s own cross-region snapshot copy for this disk',
    }
  }
  const { securityType } = disk.shape
  if (isSealedByGuest(securityType)) {
    return {
      kind: 'refuse',
      type: 'SecurityTypeNotSupported',
      reason:
        `disk ${disk.id} is of security type ${securityType}: its bytes are encrypted by keys in the guest state (vTPM) of its machine, which is in no export, ` +
        'so nobody could read what is restored. Use what Azure offers for confidential virtual machines, or back up from within the machine',
    }
  }
  if (disk.sizeBytes > MAX_DISK_BYTES) {
    return {
      kind: 'refuse',
      type: 'DiskTooLarge',
      reason:
        `disk ${disk.id} has ${disk.sizeBytes / GIB} GiB; a disk of more than ${MAX_DISK_BYTES / GIB} GiB could not be restored by upload. ` +
        'Use Azure\'s own cross-region snapshot copy for this disk',
    }
  }
  return undefined
}

/**
 * Azure answers no diff between snapshots on different sides of "4 TB" (incremental snapshot restrictions). Whether the
 * line is 4,095 or 4,096 GiB is not documented, so crossing either counts: a reseed is always right, a wrong diff never.
 */
function crosses4TiB(fromBytes: number, toBytes: number): boolean {
  return [4095 * GIB, 4096 * GIB].some((lineBytes) => fromBytes <= lineBytes !== toBytes <= lineBytes)
}

function sameUniqueId(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
