/** The rights that a restore needs beside reading the target, and which of them the identity has. What cannot be found out is said to be unknown. */
import { permissionsBeside } from '../azure/permissions.ts'
import { isFailure } from '../domain/failures.ts'
import { isAllowed } from '../domain/permissions.ts'
import type { Engine } from './engine.ts'
import type { PlannedRestore } from './plan-restore.ts'

export interface RightCheck {
  readonly action: string
  readonly isPresent: boolean | 'unknown'
}

export interface RightsReport {
  readonly rights: readonly RightCheck[]
  /** The group or subscription of what is to be made is not there. */
  readonly isGroupMissing: boolean
}

const DISKS = ['read', 'write', 'delete', 'beginGetAccess/action', 'endGetAccess/action'].map((right) => `Microsoft.Compute/disks/${right}`)
const SNAPSHOTS = ['read', 'write', 'delete'].map((right) => `Microsoft.Compute/snapshots/${right}`)
const SOURCE_SNAPSHOT = ['Microsoft.Compute/snapshots/read', 'Microsoft.Compute/snapshots/beginGetAccess/action']

export async function checkRights(engine: Engine, { disk, snapshot, filling }: PlannedRestore, signal?: AbortSignal): Promise<RightsReport> {
  const own = await askBeside(engine, disk.id, [...DISKS, ...(snapshot === undefined ? [] : SNAPSHOTS)], signal)
  const others: RightCheck[] = []
  if (filling.kind === 'source-snapshot') others.push(...(await askBeside(engine, filling.snapshotId, SOURCE_SNAPSHOT, signal)).rights)
  if (filling.kind === 'import') {
    others.push(...(await askBeside(engine, filling.storageAccountId, ['Microsoft.Storage/storageAccounts/read'], signal)).rights)
    // Data actions are not among what Azure sums up for a resource group.
    others.push(...['write', 'delete'].map((right) => ({ action: `Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${right}`, isPresent: 'unknown' as const })))
  }
  const { encryption } = disk.shape
  // Azure asks for it on what the disk is linked to.
  if (encryption !== undefined) others.push(...(await askBeside(engine, encryption.diskEncryptionSetId, ['Microsoft.Compute/diskEncryptionSets/read'], signal)).rights)
  return { rights: [...own.rights, ...others], isGroupMissing: own.isGroupMissing }
}

async function askBeside(engine: Engine, resourceId: string, actions: readonly string[], signal?: AbortSignal): Promise<RightsReport> {
  try {
    const permissions = await permissionsBeside(engine.azure, resourceId, signal)
    return { isGroupMissing: false, rights: actions.map((action) => ({ action, isPresent: isAllowed(permissions, action) })) }
  } catch (error) {
    if (!isFailure(error)) throw error
    return { isGroupMissing: error.type === 'SourceDiskNotFound', rights: actions.map((action) => ({ action, isPresent: 'unknown' })) }
  }
}
