/** Managed disks: reading, tagging and deleting them. */
import type { DiskSettings, SourceDisk } from '../domain/source-disk.ts'
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
import { diskStatusOf, settingsBody, sourceDiskOf, type DiskStatus } from './disk-model.ts'
import type { Tags } from '../domain/tags.ts'

const READ = 'Microsoft.Compute/disks/read'
const WRITE = 'Microsoft.Compute/disks/write'
const DELETE = 'Microsoft.Compute/disks/delete'

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

/** Replaces the tags of a disk, and sets what `settings` names: both or nothing. */
export async function updateDisk(
  azure: AzureClients,
  diskId: string,
  { tags, settings = {} }: { readonly tags: Tags; readonly settings?: DiskSettings | undefined },
  signal?: AbortSignal,
): Promise<void> {
  const resource = armResource(azure, diskId, 'disks')
  const { client, resourceGroup, name } = resource
  const context = { doing: 'update', on: named(resource), notFound: 'SourceDiskNotFound', action: WRITE } as const
  await callArm(context, signal, () =>
    untilDone(
      client.disks.update(
        resourceGroup,
        name,
        { ...settingsBody(settings), tags: { ...tags } },
        { ...abortable(signal), updateIntervalInMs: POLL_INTERVAL_MS },
      ),
      signal,
    ),
  )
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
