/** A recovery point as lists, results and the command line show it: the manifest without what only a restore needs. */
import {
  isCopied,
  type AnyManifest,
  type CopiedManifest,
  type CopyVerification,
  type Manifest,
  type Verification,
} from './manifest.ts'
import type { PointCheck, Suspicion, Verified } from './point-check.ts'

export type BackupKind = Manifest['kind']

export interface RecoveryPoint {
  readonly id: string
  readonly diskId: string
  readonly diskUniqueId: string
  /** ISO instant whose content the point holds. */
  readonly takenAt: string
  readonly sealedAt: string
  readonly kind: BackupKind
  readonly reseedCause: string | null
  /** Bytes of the disk. */
  readonly sizeBytes: number
  /** What the source said had been written since the last point (full: what was allocated). */
  readonly changedBytes: number
  readonly clearedBytes: number
  /** What was really transferred, repairs and the footer included. */
  readonly movedBytes: number
  readonly requests: number
  readonly seconds: number
  /** Absent in points of earlier releases. */
  readonly transfer?: Manifest['transfer']
  readonly streamCause?: Manifest['streamCause']
  /** What a reseed found equal in the base blob and did not move; absent: nothing. */
  readonly savedBytes?: number
  readonly verification: Verification
  /** Damaged in earlier points, and read again from the source by the run of this one. */
  readonly mended?: Manifest['mended']
  /** The last comparison with its digests that found nothing. */
  readonly verified?: Verified
  /** Its bytes were found to differ from its digests. */
  readonly suspect?: Suspicion
  readonly baseBlobName: string
  readonly blobSnapshot: string
  /** Number of stripes where there are several; `baseBlobName` and `blobSnapshot` are the first one's. */
  readonly stripeCount?: number
}

/** A point that Azure copied (`engine: copy-start`): it has a snapshot and no base blob. */
export interface CopiedPoint extends Omit<RecoveryPoint, 'verification' | 'baseBlobName' | 'blobSnapshot' | 'transfer' | 'streamCause' | 'savedBytes'> {
  readonly verification: CopyVerification
  readonly copiedSnapshot: CopiedManifest['copiedSnapshot']
}

export type AnyPoint = RecoveryPoint | CopiedPoint

export function recoveryPointOf(manifest: Manifest, check?: PointCheck): RecoveryPoint
export function recoveryPointOf(manifest: CopiedManifest, check?: PointCheck): CopiedPoint
export function recoveryPointOf(manifest: AnyManifest, check?: PointCheck): AnyPoint
export function recoveryPointOf(manifest: AnyManifest, check?: PointCheck): AnyPoint {
  const { id, takenAt, sealedAt, kind, reseedCause, sizeBytes, changedBytes, clearedBytes, movedBytes, requests, seconds } = manifest
  const { id: diskId, uniqueId: diskUniqueId } = manifest.disk
  const how = { kind, reseedCause, sizeBytes, changedBytes, clearedBytes, movedBytes, requests, seconds }
  const common = { id, diskId, diskUniqueId, takenAt, sealedAt, ...how }
  if (isCopied(manifest)) return { ...common, verification: manifest.verification, copiedSnapshot: manifest.copiedSnapshot }
  const { transfer, streamCause, savedBytes, verification, baseBlob } = manifest
  return {
    ...common,
    ...(transfer !== undefined && { transfer }),
    ...(streamCause !== undefined && { streamCause }),
    ...(savedBytes !== undefined && { savedBytes }),
    verification,
    ...(manifest.mended !== undefined && { mended: manifest.mended }),
    ...(check?.verified !== undefined && { verified: check.verified }),
    ...(check?.suspect !== undefined && { suspect: check.suspect }),
    baseBlobName: baseBlob.name,
    blobSnapshot: baseBlob.snapshot,
    ...(manifest.stripes !== undefined && { stripeCount: manifest.stripes.blobs.length }),
  }
}

/** Newest first by what they hold, not by when they were sealed. */
export function newestFirst<Point extends { readonly takenAt: string; readonly id: string }>(points: readonly Point[]): Point[] {
  return [...points].sort((a, b) => Date.parse(b.takenAt) - Date.parse(a.takenAt) || b.id.localeCompare(a.id))
}

/** The newest point at or before an instant. */
export function newestAt<Point extends { readonly takenAt: string; readonly id: string }>(points: readonly Point[], at: string): Point | undefined {
  return newestFirst(points).find((point) => Date.parse(point.takenAt) <= Date.parse(at))
}
