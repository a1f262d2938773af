/** Managed disks: reading the source of a backup, and making and deleting the disks that restores fill. */
import { setTimeout as sleep } from 'node:timers/promises'
import { BackupError, isFailure } from '../domain/failures.ts'
import type { SourceDisk } from '../domain/source-disk.ts'
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
import { diskStatusOf, sourceDiskOf, uploadDiskBody, type DiskStatus, type UploadDiskSpec } from './disk-model.ts'
import { isSameRequest } from '../domain/tags.ts'

const READ = 'Microsoft.Compute/disks/read'
const WRITE = 'Microsoft.Compute/disks/write'
const DELETE = 'Microsoft.Compute/disks/delete'

/** A disk is ready within seconds of its creation; this is for a bad day of the platform. */
const READY_TIMEOUT_MS = 5 * 60_000

/** @throws BackupError SourceDiskNotFound where the disk, its resource group or its subscription is missing. */
export async function getDisk(azure: AzureClients, diskId: string, signal?: AbortSignal): Promise<SourceDisk> {
  return sourceDiskOf(diskId.trim(), await readDisk(armResource(azure, diskId, 'disks'), signal))
}

/** @returns undefined where the disk, its resource group or its subscription is missing. */
export async function findDisk(
  azure: AzureClients,
  diskId: string,
  signal?: AbortSignal,
): Promise<DiskStatus | undefined> {
  const resource = armResource(azure, diskId, 'disks')
  return orUndefined('SourceDiskNotFound', async () => diskStatusOf(resource.id, await readDisk(resource, signal)))
}

function readDisk(resource: ArmResource, signal: AbortSignal | undefined) {
  const { client, resourceGroup, name } = resource
  return callArm({ doing: 'read', on: named(resource), notFound: 'SourceDiskNotFound', action: READ }, signal, () =>
    client.disks.get(resourceGroup, name, abortable(signal)),
  )
}

/**
 * Makes a disk that waits for its content (createOption Upload), and returns when it does.
 *
 * Twice with the same `snapferry-request` tag: the second call finds the disk of the first. Once the content is
 * complete the disk is no longer one to upload to, and counts as foreign.
 * @throws BackupError DiskExists for any other disk of that name; RegionMismatch where region, zone and SKU do not go
 * together.
 */
export async function createUploadDisk(azure: AzureClients, spec: UploadDiskSpec, signal?: AbortSignal): Promise<void> {
  const resource = armResource(azure, spec.id, 'disks')
  const existing = await findDisk(azure, spec.id, signal)
  if (existing === undefined) await putUploadDisk(resource, spec, signal)
  await waitUntilReady(azure, spec, signal)
}

async function putUploadDisk(
  resource: ArmResource,
  spec: UploadDiskSpec,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { client, resourceGroup, name } = resource
  const facts = { location: spec.location, sku: spec.shape.sku, zone: spec.shape.zones?.[0], sizeBytes: spec.sizeBytes }
  const context = {
    doing: 'create',
    on: named(resource),
    notFound: 'SourceDiskNotFound',
    action: WRITE,
    facts,
  } as const
  try {
    await callArm(context, signal, () =>
      untilDone(
        client.disks.createOrUpdate(resourceGroup, name, uploadDiskBody(spec), {
          ...abortable(signal),
          updateIntervalInMs: POLL_INTERVAL_MS,
        }),
        signal,
      ),
    )
  } catch (error) {
    throw isPlacementRefusal(error) ? new BackupError({ ...placementRefusal(error, spec), cause: error }) : error
  }
}

/**
 * Codes vary by what is missing (SkuNotAvailable, LocationNotAvailableForResourceType, …) and
 * are not listed anywhere.
 */
function isPlacementRefusal(error: unknown): error is BackupError {
  if (!isFailure(error, 'AzureRefused')) return false
  const code = String(error.facts['code'])
  return (
    /sku|zone|location|region/i.test(code) ||
    (code === 'InvalidParameter' && /\b(sku|zones?|location|region)\b/i.test(error.message))
  )
}

function placementRefusal({ message, facts }: BackupError, { location, shape }: UploadDiskSpec) {
  const asked = [shape.sku, shape.zones?.length ? `zone ${shape.zones.join(', ')}` : undefined, location].filter(
    (part) => part !== undefined,
  )
  return {
    type: 'RegionMismatch',
    message: `${message}; ${asked.join(' in ')} is not offered: choose another SKU, zone or region`,
    facts,
  } as const
}

async function waitUntilReady(
  azure: AzureClients,
  spec: UploadDiskSpec,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS
  for (;;) {
    const disk = await findDisk(azure, spec.id, signal)
    if (disk !== undefined && !isSameRequest(disk.tags, spec.tags))
      throw diskExists(spec.id, 'it is not of this restore')
    const state = disk?.state?.toLowerCase()
    if (state === 'readytoupload' || state === 'activeupload') return
    if (disk !== undefined && state === undefined && /succeeded/i.test(disk.provisioningState ?? '')) return
    const isPending = disk === undefined || /creating|updating/i.test(disk.provisioningState ?? '')
    if (!isPending)
      throw diskExists(spec.id, `its state is ${disk.state ?? 'unknown'}, so it has got its content already`)
    if (Date.now() > deadline) throw notReady(spec.id, disk?.provisioningState)
    await sleep(POLL_INTERVAL_MS, undefined, signal === undefined ? {} : { signal })
  }
}

function diskExists(id: string, why: string): BackupError {
  return new BackupError({
    type: 'DiskExists',
    message: `disk ${id} exists: ${why}; restore to another name, or delete it first`,
    facts: { id },
  })
}

function notReady(id: string, provisioningState: string | undefined): BackupError {
  return new BackupError({
    type: 'AzureUnavailable',
    message:
      `disk ${id} is not ready for its upload after ${READY_TIMEOUT_MS / 60_000} minutes; ` +
      'it is tried again later',
    facts: { id, provisioningState },
  })
}

/** A disk that is gone already is fine. Access that was granted must be revoked before: see `ExportAccess.revoke`. */
export async function deleteDisk(azure: AzureClients, diskId: string, signal?: AbortSignal): Promise<void> {
  const resource = armResource(azure, diskId, 'disks')
  const { client, resourceGroup, name } = resource
  const context = { doing: 'delete', on: named(resource), notFound: 'SourceDiskNotFound', action: DELETE } as const
  await orUndefined('SourceDiskNotFound', () =>
    callArm(context, signal, () =>
      untilDone(
        client.disks.delete(resourceGroup, name, { ...abortable(signal), updateIntervalInMs: POLL_INTERVAL_MS }),
        signal,
      ),
    ),
  )
}
