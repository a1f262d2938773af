/**
 * Snapshots of disks: making, watching, listing and deleting them.
 *
 * None of it waits for a snapshot to become readable, and none of it hands out its content: see `export-access.ts`.
 */
import type { Snapshot } from '@azure/arm-compute'
import { sameArmId } from '../domain/arm-id.ts'
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
import { revokeAccess } from './access-grants.ts'
import type { AzureClients } from './clients.ts'
import { listedSnapshotOf, snapshotStatusOf, type ListedSnapshot, type SnapshotStatus } from './snapshot-model.ts'
import type { snapshotAccessOf } from '../domain/source-disk.ts'
import { isSameRequest, type Tags } from '../domain/tags.ts'
import { translate, type ErrorContext } from './translate.ts'

const READ = 'Microsoft.Compute/snapshots/read'
const WRITE = 'Microsoft.Compute/snapshots/write'
const DELETE = 'Microsoft.Compute/snapshots/delete'

export interface SnapshotSpec {
  readonly id: string
  readonly diskId: string
  readonly diskUniqueId: string
  /** The disk's own region: snapshots are made there. */
  readonly location: string
  /** Not sent unless given: Azure then takes zone-redundant storage where the region has it, else locally redundant. */
  readonly sku?: string
  /** Default: Azure's own. */
  readonly access?: ReturnType<typeof snapshotAccessOf>
  /** Must hold `snapferry-request`. */
  readonly tags: Tags
}

/** @returns undefined where the snapshot, its resource group or its subscription is missing. */
export async function findSnapshot(
  azure: AzureClients,
  snapshotId: string,
  signal?: AbortSignal,
): Promise<SnapshotStatus | undefined> {
  const resource = armResource(azure, snapshotId, 'snapshots')
  const snapshot = await readSnapshot(resource, signal)
  return snapshot === undefined ? undefined : snapshotStatusOf(resource.id, snapshot)
}

function readSnapshot(resource: ArmResource, signal: AbortSignal | undefined): Promise<Snapshot | undefined> {
  const { client, resourceGroup, name } = resource
  const context = { doing: 'read', on: named(resource), notFound: 'SourceSnapshotNotFound', action: READ } as const
  return orUndefined('SourceSnapshotNotFound', () =>
    callArm(context, signal, () => client.snapshots.get(resourceGroup, name, abortable(signal))),
  )
}

/** @see createSnapshot */
export function createIncrementalSnapshot(
  azure: AzureClients,
  spec: SnapshotSpec,
  signal?: AbortSignal,
): Promise<SnapshotStatus> {
  return createSnapshot(azure, { ...spec, isIncremental: true }, signal)
}

/**
 * Takes a snapshot, or finds the one that an earlier attempt of the same request took: a second call never
 * makes a second point in time.
 * @throws BackupError AzureRefused where a snapshot of that name exists that is not of this request; SnapshotFailed
 * where the disk was replaced by another of the same name in the meantime.
 */
export function createSnapshot(
  azure: AzureClients,
  spec: SnapshotSpec & { readonly isIncremental: boolean },
  signal?: AbortSignal,
): Promise<SnapshotStatus> {
  const { id, location, tags, access, sku, diskId, diskUniqueId, isIncremental } = spec
  const source = { id: diskId, uniqueId: diskUniqueId, createOption: 'Copy', called: `disk ${diskId}` } as const
  const creation = { id, location, isIncremental, tags, access, sku, source, notFound: 'SourceDiskNotFound' } as const
  return createSnapshotOnce(azure, creation, signal)
}

/** What makes a snapshot, whatever it is of. */
export interface SnapshotCreation {
  readonly id: string
  readonly isIncremental: boolean
  readonly location: string
  readonly sku: string | undefined
  readonly access: SnapshotSpec['access']
  readonly tags: Tags
  readonly source: {
    readonly id: string
    readonly uniqueId: string
    readonly createOption: 'Copy' | 'CopyStart'
    /** For messages. */
    readonly called: string
  }
  /** What it means where the source is missing. */
  readonly notFound: FailureType
}

/** Makes the snapshot, or finds the one that an earlier attempt of the same request made. */
export async function createSnapshotOnce(
  azure: AzureClients,
  spec: SnapshotCreation,
  signal?: AbortSignal,
): Promise<SnapshotStatus> {
  const resource = armResource(azure, spec.id, 'snapshots')
  const existing = await readSnapshot(resource, signal)
  if (existing !== undefined) return adopt(resource, spec, existing)
  try {
    return adopt(resource, spec, await putSnapshot(resource, spec, signal))
  } catch (error) {
    // An attempt that was given up on may have been carried out in the meantime.
    const late =
      isFailure(error, 'AzureRefused') && error.facts['status'] === 409
        ? await readSnapshot(resource, signal)
        : undefined
    if (late === undefined || !isSameRequest(late.tags, spec.tags)) throw error
    return adopt(resource, spec, late)
  }
}

function putSnapshot(
  resource: ArmResource,
  spec: SnapshotCreation,
  signal: AbortSignal | undefined,
): Promise<Snapshot> {
  const { source } = spec
  const { client, resourceGroup, name } = resource
  const body: Snapshot = {
    location: spec.location,
    tags: { ...spec.tags },
    incremental: spec.isIncremental,
    creationData: { createOption: source.createOption, sourceResourceId: source.id },
    ...(spec.sku === undefined ? {} : { sku: { name: spec.sku } }),
    ...spec.access,
  }
  const context: ErrorContext = {
    doing: 'create',
    on: `${named(resource)} of ${source.called}`,
    notFound: spec.notFound,
    action: WRITE,
    facts: { snapshotId: resource.id, sourceId: source.id, sku: spec.sku },
  }
  return callArm(context, signal, () =>
    untilDone(
      // Never cut off itself: what it makes could come to be behind whoever takes it back.
      client.snapshots.createOrUpdate(resourceGroup, name, body, { updateIntervalInMs: POLL_INTERVAL_MS }),
      signal,
    ),
  )
}

function adopt(resource: ArmResource, { source, tags }: SnapshotCreation, snapshot: Snapshot): SnapshotStatus {
  const { sourceResourceId, sourceUniqueId } = snapshot.creationData ?? {}
  const isOfSource = sourceResourceId === undefined || sameArmId(sourceResourceId, source.id)
  if (!isSameRequest(snapshot.tags, tags) || !isOfSource) {
    throw new BackupError({
      type: 'AzureRefused',
      message: `${named(resource)} exists and is not of this run; delete or rename what stands in the way`,
      facts: { snapshotId: resource.id, sourceResourceId },
    })
  }
  if (sourceUniqueId !== undefined && sourceUniqueId.toLowerCase() !== source.uniqueId.toLowerCase()) {
    throw new BackupError({
      type: 'SnapshotFailed',
      message:
        `${named(resource)} holds something else than what was planned: ` +
        `${source.called} was replaced meanwhile; run the backup again`,
      facts: { snapshotId: resource.id, plannedUniqueId: source.uniqueId, sourceUniqueId },
    })
  }
  return snapshotStatusOf(resource.id, snapshot)
}

export interface SnapshotScope {
  readonly subscriptionId: string
  readonly resourceGroup: string
}

/** All snapshots of a resource group, whoever made them, of all pages. A missing group has none. */
export async function* listSnapshots(
  azure: AzureClients,
  { subscriptionId, resourceGroup }: SnapshotScope,
  signal?: AbortSignal,
): AsyncGenerator<ListedSnapshot> {
  const context: ErrorContext = {
    doing: 'list',
    on: `the snapshots of resource group ${resourceGroup}`,
    notFound: 'SourceSnapshotNotFound',
    action: READ,
  }
  try {
    for await (const snapshot of azure
      .compute(subscriptionId)
      .snapshots.listByResourceGroup(resourceGroup, abortable(signal))) {
      signal?.throwIfAborted()
      yield listedSnapshotOf(snapshot)
    }
  } catch (error) {
    const failure = translate(error, context)
    if (!isFailure(failure, 'SourceSnapshotNotFound')) throw failure
  }
}

/** Revokes access first where a SAS is out. A snapshot that is gone already is fine. */
export async function deleteSnapshot(azure: AzureClients, snapshotId: string, signal?: AbortSignal): Promise<void> {
  const resource = armResource(azure, snapshotId, 'snapshots')
  const { client, resourceGroup, name } = resource
  const snapshot = await readSnapshot(resource, signal)
  if (snapshot === undefined) return
  if (/^activesas/i.test(snapshot.diskState ?? '')) await revokeAccess(azure, snapshotId, signal)
  const context = { doing: 'delete', on: named(resource), notFound: 'SourceSnapshotNotFound', action: DELETE } as const
  await orUndefined('SourceSnapshotNotFound', () =>
    callArm(context, signal, () =>
      untilDone(
        client.snapshots.delete(resourceGroup, name, { ...abortable(signal), updateIntervalInMs: POLL_INTERVAL_MS }),
        signal,
      ),
    ),
  )
}
