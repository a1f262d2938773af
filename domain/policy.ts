/**
 * What a policy asks of a backup. `snapferry.yaml` is parsed into this (config/config-file.ts); it travels to the
 * workflows as plain data.
 */
import type { TargetLevel } from './point-check.ts'
import type { RetentionRule } from './retention.ts'
import type { CopyMode } from './transfer-job.ts'

export interface VerifyRule {
  /** `source`: all that changed is read on both sides before the point is sealed, not a sample of it. Default: `sample`. */
  readonly level?: 'sample' | 'source'
  /** Changed stretches of which up to 64 KiB are read on both sides and compared. */
  readonly sampleChanged: number
  /** Allocated but unchanged chunks that are compared as well: they find what no diff can tell. */
  readonly sampleUnchanged: number
  /** Rounds of transfer and verify before the run fails. */
  readonly maxRounds: number
}

/** Where copied snapshots lie, in the subscription of the disk. */
export interface CopyPlace {
  readonly resourceGroup: string
  readonly region: string
}

export interface BackupOptions {
  readonly retention: RetentionRule
  readonly verify: VerifyRule
  /** Overrides the SKU of source snapshots. Not advised: without it Azure takes ZRS where the region has it, else LRS. */
  readonly snapshotSku?: string
  /** Resource group for source snapshots in the disk's subscription; default: the disk's own. */
  readonly snapshotResourceGroup?: string
  /** Azure's own cross-region snapshot copy moves the bytes (`engine: copy-start`), to there; absent: into a base blob. */
  readonly copyStart?: CopyPlace
  /**
   * What a reseed does with what the base blob may hold already: `compare` passes over what is equal, `move` moves everything. Default:
   * compares where the last point has digests, so that only the source has to be read.
   */
  readonly reseed?: 'compare' | 'move'
  /** `stream`: bytes go through the worker. Default `copy`: the storage service moves them, and where the source refuses that they are streamed. */
  readonly transfer?: CopyMode
  /** Page blobs that each disk is dealt out over, for speed; default: as many as there are, else as its size needs. */
  readonly stripes?: number
  /** Cap on what each worker writes for the policy, all its disks together; default: none. */
  readonly maxMibPerSecond?: number
}

/** How points are compared with their digests after they were sealed. */
export interface VerificationRule {
  /** `full`: all chunks, an equal part a day, each at least once in `everyDays`; the others: once in `everyDays`. */
  readonly level: TargetLevel
  readonly everyDays: number
  /** Of a sample. */
  readonly percent?: number
}

export interface Policy {
  readonly name: string
  readonly targetUrl: string
  readonly diskIds: readonly string[]
  readonly options: BackupOptions
  /** Backups that one run has open at the same time. */
  readonly maxConcurrentDisks: number
  /** Absent: points are compared when somebody asks for it. */
  readonly verification?: VerificationRule
}

export const DEFAULT_VERIFY: VerifyRule = { sampleChanged: 16, sampleUnchanged: 16, maxRounds: 3 }
export const DEFAULT_RETENTION: RetentionRule = { keepLast: 30 }
export const DEFAULT_OPTIONS: BackupOptions = { retention: DEFAULT_RETENTION, verify: DEFAULT_VERIFY }
export const DEFAULT_VERIFICATION_DAYS = 30
export const DEFAULT_MAX_CONCURRENT_DISKS = 8
export const SNAPSHOT_SKU_WARNING =
  'snapshotSku overrides the redundancy that Azure chooses (ZRS where the region has it, else LRS); this is not advised'
