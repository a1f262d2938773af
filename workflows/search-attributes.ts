/**
 * The typed search attributes of every run. The worker registers them and checks their types before it polls: a workflow that
 * writes an unregistered one would hang in its first task.
 */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'

export const diskAttribute = defineSearchAttributeKey('BackupDisk', SearchAttributeType.KEYWORD)
export const targetAttribute = defineSearchAttributeKey('BackupTarget', SearchAttributeType.KEYWORD)
export const policyAttribute = defineSearchAttributeKey('BackupPolicy', SearchAttributeType.KEYWORD)
export const phaseAttribute = defineSearchAttributeKey('BackupPhase', SearchAttributeType.KEYWORD)
export const kindAttribute = defineSearchAttributeKey('BackupKind', SearchAttributeType.KEYWORD)
export const recoveryPointAttribute = defineSearchAttributeKey('BackupRecoveryPoint', SearchAttributeType.KEYWORD)

export const ALL_SEARCH_ATTRIBUTES = [
  diskAttribute,
  targetAttribute,
  policyAttribute,
  phaseAttribute,
  kindAttribute,
  recoveryPointAttribute,
] as const
