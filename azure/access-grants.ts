/**
 * beginGetAccess and endGetAccess, once each: the calls behind `ExportAccess`.
 *
 * What Azure answers to a second grant, and beyond five SAS in a family, is not documented: any conflict is read as
 * either, and told apart by the state of the resource.
 */
import type { GrantAccessData } from '@azure/arm-compute'
import type { ComputeResourceType } from '../domain/arm-id.ts'
import { BackupError, isFailure, type FailureType } from '../domain/failures.ts'
import {
  abortable,
  armResource,
  callArm,
  named,
  orUndefined,
  POLL_INTERVAL_MS,
  untilDone,
  type ArmResource,
} from './arm-call.ts'
import type { AzureClients } from './clients.ts'
import type { ErrorContext } from './translate.ts'

export type Access = 'Read' | 'Write'

/** Since 2025-02-15 (azure docs, disks SAS change). */
export const LONGEST_GRANT_SECONDS = 60 * 24 * 3600

export interface GrantOptions {
  readonly access: Access
  readonly durationSeconds: number
  /** Ends the SAS of a snapshot that stands in the way, whoever has it. */
  readonly takesOver?: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Grants access and returns the SAS URL, byte for byte.
 * @throws BackupError SnapshotAccessBusy where the family's SAS are all taken, or (`isHeld`) where the snapshot itself has
 * one that is in the way; SourceSnapshotNotFound or SourceDiskNotFound.
 */
export async function grantAccess(azure: AzureClients, resourceId: string, options: GrantOptions): Promise<string> {
  const { access, durationSeconds, takesOver = false, signal } = options
  const resource = resourceOf(azure, resourceId)
  try {
    return await beginGetAccess(resource, access, durationSeconds, signal)
  } catch (error) {
    if (!isConflict(error)) throw error
    // Revoking an upload would end it, with whatever has been written so far; its SAS runs out by itself.
    const isHeld = access === 'Read' && (await hasActiveSas(resource, signal))
    if (!isHeld || !takesOver) throw busy(resource, error, isHeld)
  }
  await revokeAccess(azure, resourceId, signal)
  try {
    return await beginGetAccess(resource, access, durationSeconds, signal)
  } catch (error) {
    throw isConflict(error) ? busy(resource, error, false) : error
  }
}

/** @param why ours was refused. @throws BackupError SnapshotAccessBusy (`isHeld`) where somebody has a SAS of the snapshot. */
export async function requireNoSas(azure: AzureClients, snapshotId: string, why: string, signal?: AbortSignal): Promise<void> {
  const resource = resourceOf(azure, snapshotId)
  if (await hasActiveSas(resource, signal)) throw busy(resource, undefined, true, why)
}

/** Ends all access to a disk or snapshot. Twice is fine, and so is a missing resource. */
export async function revokeAccess(azure: AzureClients, resourceId: string, signal?: AbortSignal): Promise<void> {
  const resource = resourceOf(azure, resourceId)
  const { client, type, resourceGroup, name } = resource
  const context = contextOf(resource, 'revoke access to', 'endGetAccess')
  const options = { ...abortable(signal), updateIntervalInMs: POLL_INTERVAL_MS }
  try {
    await orUndefined(missing(type), () =>
      callArm(context, signal, () =>
        untilDone(
          type === 'disks'
            ? client.disks.revokeAccess(resourceGroup, name, options)
            : client.snapshots.revokeAccess(resourceGroup, name, options),
          signal,
        ),
      ),
    )
  } catch (error) {
    // The SDK takes a 204 at the end of the operation for a failure; and nothing to revoke is what was wanted.
    const isDone = isFailure(error) && (error.facts['status'] === 204 || !(await hasActiveSas(resource, signal)))
    if (!isDone) throw error
  }
}

async function beginGetAccess(
  resource: ArmResource,
  access: Access,
  durationInSeconds: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { client, type, resourceGroup, name } = resource
  const data: GrantAccessData = { access, durationInSeconds }
  // Never cut off itself: access could be granted behind whoever revokes it.
  const options = { updateIntervalInMs: POLL_INTERVAL_MS }
  const answer = await callArm(contextOf(resource, 'get access to', 'beginGetAccess'), signal, () =>
    untilDone(
      type === 'disks'
        ? client.disks.grantAccess(resourceGroup, name, data, options)
        : client.snapshots.grantAccess(resourceGroup, name, data, options),
      signal,
    ),
  )
  if (answer.accessSAS) return answer.accessSAS
  throw new BackupError({
    type: 'AzureUnavailable',
    message: `access to ${named(resource)} was granted, but the answer holds no SAS; it is tried again later`,
    facts: { resourceId: resource.id },
  })
}

async function hasActiveSas(resource: ArmResource, signal: AbortSignal | undefined): Promise<boolean> {
  const { client, type, resourceGroup, name } = resource
  const found = await orUndefined(missing(type), () =>
    callArm(contextOf(resource, 'read', 'read'), signal, () =>
      type === 'disks'
        ? client.disks.get(resourceGroup, name, abortable(signal))
        : client.snapshots.get(resourceGroup, name, abortable(signal)),
    ),
  )
  return /^active(sas|upload)/i.test(found?.diskState ?? '')
}

function isConflict(error: unknown): error is BackupError {
  if (!isFailure(error, 'AzureRefused')) return false
  const { status, code } = error.facts
  // In Azure's own words: ours name the resource, and speak of access themselves.
  const said = `${code} ${error.cause instanceof Error ? error.cause.message : ''}`
  // Neither a policy that closes the resource nor what the resource is gives way by waiting.
  if (/network ?access ?policy|DenyAll|publicNetworkAccess|file ?format/i.test(said)) return false
  return status === 409 || (status === 400 && /\b(sas|shared access signature|limit|maximum|exceed)/i.test(said))
}

const BUSY_BECAUSE: Readonly<Record<ComputeResourceType, string>> = {
  snapshots: 'at most five snapshots of a disk can have a SAS at a time',
  disks: 'a SAS of an earlier worker may still be out and ends within hours',
}

/** Runs that wait for each other's SAS must not ask in step. */
const SHORTEST_WAIT_MS = 3_000
const LONGEST_WAIT_MS = 10_000

/** @param lost by what words. */
function busy(resource: ArmResource, cause: BackupError | undefined, isHeld: boolean, lost?: string): BackupError {
  const what = cause?.message ?? `access to ${named(resource)} was lost (${lost})`
  const why = isHeld ? `another worker has it, or a dead one left it${lost === undefined ? '' : ', or its data may not be read from here'}` : BUSY_BECAUSE[resource.type]
  return new BackupError({
    type: 'SnapshotAccessBusy',
    message: `${what}; ${why}: it is tried again later`,
    facts: { ...cause?.facts, resourceId: resource.id, isHeld },
    retryAfterMs: SHORTEST_WAIT_MS + Math.random() * (LONGEST_WAIT_MS - SHORTEST_WAIT_MS),
    cause,
  })
}

function contextOf(
  resource: ArmResource,
  doing: string,
  call: 'beginGetAccess' | 'endGetAccess' | 'read',
): ErrorContext {
  return {
    doing,
    on: named(resource),
    notFound: missing(resource.type),
    action: `Microsoft.Compute/${resource.type}/${call}${call === 'read' ? '' : '/action'}`,
    facts: { resourceId: resource.id },
  }
}

function missing(type: ComputeResourceType): FailureType {
  return type === 'disks' ? 'SourceDiskNotFound' : 'SourceSnapshotNotFound'
}

function resourceOf(azure: AzureClients, resourceId: string): ArmResource {
  return armResource(azure, resourceId, /\/snapshots\/[^/]*$/i.test(resourceId.trim()) ? 'snapshots' : 'disks')
}
