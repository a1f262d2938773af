/** A recovery point as lists, results and the command line show it: the manifest without what only a restore needs. */
import type { Manifest, Verification } from './manifest.ts'

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
  readonly verification: Verification
  readonly baseBlobName: string
  readonly blobSnapshot: string
}

export function recoveryPointOf(manifest: Manifest): RecoveryPoint {
  const { id, takenAt, sealedAt, kind, reseedCause, sizeBytes, changedBytes, clearedBytes, movedBytes, requests, seconds, transfer, streamCause } = manifest
  return {
    id,
    diskId: manifest.disk.id,
    diskUniqueId: manifest.disk.uniqueId,
    takenAt,
    sealedAt,
    kind,
    reseedCause,
    sizeBytes,
    changedBytes,
    clearedBytes,
    movedBytes,
    requests,
    seconds,
    ...(transfer !== undefined && { transfer }),
    ...(streamCause !== undefined && { streamCause }),
    verification: manifest.verification,
    baseBlobName: manifest.baseBlob.name,
    blobSnapshot: manifest.baseBlob.snapshot,
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
