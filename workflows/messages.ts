/**
 * Inputs, results and the `progress` query of the workflows: the contract with whoever starts or watches them.
 * Plain JSON, additive; nothing in here is large or secret.
 */
import { defineQuery } from '@temporalio/workflow'
import type { DrillRule } from '../domain/drill.ts'
import type { Movement } from '../domain/manifest.ts'
import type { ChunkChoice } from '../domain/chunk-choice.ts'
import type { VerifyLevel } from '../domain/point-check.ts'
import type { BackupOptions, Policy } from '../domain/policy.ts'
import type { AnyPoint, BackupKind, RecoveryPoint } from '../domain/recovery-point.ts'
import type { RequestKey } from '../domain/names.ts'
import type { GroupMember, RestoreOrigin, RestoreRequest } from '../domain/restore-request.ts'

export interface BackupDiskInput {
  readonly diskId: string
  readonly targetUrl: string
  readonly options: BackupOptions
  /** Names everything that the run makes; default: the workflow's own start and run id. */
  readonly request?: RequestKey
  /** Name of the policy that asked for it. */
  readonly policy?: string
}

export interface BackupDiskResult<Point extends AnyPoint = RecoveryPoint> {
  readonly point: Point
  /** What an operator should know although the run succeeded. */
  readonly warnings: readonly string[]
}

export interface RunPolicyInput {
  readonly policy: Policy
}

export interface DiskOutcome {
  readonly diskId: string
  readonly outcome: 'succeeded' | 'failed' | 'skipped'
  /** Why it failed or was skipped. */
  readonly reason?: string
  readonly pointId?: string
}

export interface RunPolicyResult {
  readonly disks: readonly DiskOutcome[]
}

/** `requestId`: default, the workflow's own run id. */
export type RestoreDiskInput = Omit<RestoreRequest, 'requestId'> & Partial<Pick<RestoreRequest, 'requestId'>>

export interface RestoreDiskResult {
  readonly origin: RestoreOrigin
  /** Absent: it was made from the base blob. */
  readonly point?: AnyPoint
  /** ARM id of the disk or snapshot that was made. */
  readonly resourceId: string
  readonly sizeBytes: number
  readonly movedBytes: number
  readonly comparedBytes: number
  readonly seconds: number
  /** Absent in results of earlier releases. */
  readonly phaseSeconds?: Readonly<Record<string, number>>
  readonly warnings: readonly string[]
}

export interface RestoreGroupInput {
  readonly targetUrl: string
  readonly members: readonly GroupMember[]
  /** Into what and by which way, the same for all. */
  readonly how: Pick<RestoreRequest, 'region' | 'sku' | 'zone' | 'diskEncryptionSetId' | 'way' | 'storageAccountId' | 'allowsSuspect'>
  /** Disks that were restored are kept when others fail. */
  readonly isPartial: boolean
}

export interface MemberOutcome extends GroupMember {
  readonly outcome: 'restored' | 'failed'
  readonly reason?: string
}

export interface RestoreGroupResult {
  readonly members: readonly MemberOutcome[]
  readonly warnings: readonly string[]
}

export interface VerifyPointInput {
  readonly targetUrl: string
  /** Either the point itself, or the disk whose newest point (at `at`) is meant. */
  readonly pointId?: string
  readonly diskId?: string
  readonly at?: string
  readonly level: VerifyLevel
  /** Of a sample; default 5. Level `source` reads all without it. */
  readonly percent?: number
  /** Chooses the sample; default: follows from the run id. */
  readonly seed?: number
  /** Only what is due on a day: of `full` a part, so that every chunk is read in so many days. Days since 1970. */
  readonly cycle?: { readonly everyDays: number; readonly day: number }
}

export interface VerifyPointResult {
  readonly point: RecoveryPoint
  readonly level: VerifyLevel
  /** Which chunks were read; a sample can be repeated by its seed. */
  readonly choice: ChunkChoice
  readonly comparedBytes: number
  readonly comparedChunks: number
  /** Of the source snapshot, at level `source`. */
  readonly comparedSourceBytes?: number
}

export interface DrillRestoreInput {
  readonly targetUrl: string
  /** The disk that was backed up. */
  readonly diskId: string
  /** Default: as the rule says. */
  readonly pointId?: string
  readonly rule: DrillRule
  /** Names everything that the drill makes; default: the workflow's own start and run id. */
  readonly request?: RequestKey
  /** Name of the policy that asked for it. */
  readonly policy?: string
}

export interface DrillPolicyInput {
  readonly policy: string
  readonly targetUrl: string
  readonly diskIds: readonly string[]
  readonly rule: DrillRule
}

export interface DrillOutcome {
  readonly diskId: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped. */
  readonly reason?: string
  readonly pointId?: string
  readonly rtoSeconds?: number
}

export interface DrillPolicyResult {
  readonly disks: readonly DrillOutcome[]
}

export interface WatchDrillsInput {
  readonly policy: string
  readonly targetUrl: string
  readonly diskIds: readonly string[]
  readonly rule: Pick<DrillRule, 'disks' | 'alertAfterMs'>
  /** ISO instant from which silence counts as long as no drill has succeeded: that of the watch's Schedule. */
  readonly since: string
}

/** Phases in order; the words of the run in docs/protocol. */
export const BACKUP_PHASES = ['plan', 'snapshot', 'open', 'transfer', 'verify', 'seal', 'release'] as const
export const RESTORE_PHASES = ['plan', 'create', 'transfer', 'verify', 'release'] as const

export const VERIFY_PHASES = ['plan', 'verify', 'record'] as const

export const DRILL_PHASES = ['plan', 'restore', 'compare', 'delete', 'record'] as const

export type BackupPhase = (typeof BACKUP_PHASES)[number]
export type RestorePhase = (typeof RESTORE_PHASES)[number]
export type VerifyPhase = (typeof VERIFY_PHASES)[number]
export type DrillPhase = (typeof DRILL_PHASES)[number]

export interface Progress {
  readonly phase: BackupPhase | RestorePhase | VerifyPhase | DrillPhase | 'done' | 'failed'
  readonly kind?: BackupKind
  readonly reseedCause?: string
  /** Known from the open phase on: what the transfer has to move. */
  readonly totalBytes?: number
  /** By extents that are done; those in flight tell theirs by heartbeat (`TransferCheckpoint.movedBytes`). */
  readonly movedBytes: number
  readonly extentsDone: number
  readonly extentCount: number
  /** 1 for the first transfer, more when ranges were sent back by verify. */
  readonly round: number
  /** ISO instants at which phases began. */
  readonly startedAt: Readonly<Record<string, string>>
  readonly pointId?: string
  /** How bytes are moved, as far as is known yet. */
  readonly movement?: Movement
  /** What there is to do while the run goes on; its result has them, too. */
  readonly warnings?: readonly string[]
}

export const progressQuery = defineQuery<Progress>('progress')

/** Heartbeat details of `transferExtent` and `restoreExtent`: every byte before `nextOffsetBytes` is durable in the destination. */
export interface TransferCheckpoint {
  readonly extentIndex: number
  readonly nextOffsetBytes: number
  readonly movedBytes: number
  readonly clearedBytes: number
  readonly requests: number
  /** Of `movedBytes`, what went through the worker; absent: nothing. */
  readonly streamedBytes?: number
  /** What was found equal and not moved; absent: nothing. */
  readonly savedBytes?: number
}

/**
 * `control`: workflows and short calls. The others are for lists and bytes, by urgency: `restore` for those that somebody waits for, `data` for backups,
 * `verify` for verifications and drills.
 */
export interface TaskQueues {
  readonly control: string
  readonly data: string
  readonly restore: string
  readonly verify: string
}

export function taskQueuesOf(prefix: string): TaskQueues {
  return { control: `${prefix}-control`, data: `${prefix}-data`, restore: `${prefix}-restore`, verify: `${prefix}-verify` }
}
