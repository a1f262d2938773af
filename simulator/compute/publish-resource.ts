import type { PublishedExport } from '../blob-service/published-blob.ts'
import type { FrozenVolume } from '../store/volume.ts'
import type { ComputeState } from './compute-state.ts'
import type { AccessGrant, DiskSnapshot, ExportableResource, ManagedDisk } from './disk-model.ts'
import { diffGroupOf } from './snapshot-family.ts'
import { createVhdFooter } from './vhd-footer.ts'

/** What a SAS of a disk or snapshot is of: a fixed VHD, content and footer, to read or to write. */

/** A new SAS: to write for a disk that is being uploaded, to read for everything else. */
export function publishResource(
  state: ComputeState,
  resource: ExportableResource,
  durationSeconds: number,
): AccessGrant {
  if (resource.kind === 'disk' && resource.upload !== undefined) {
    const { volume, uniqueId } = resource
    const upload = { kind: 'upload' as const, volume, uniqueId, needsBearer: needsBearer(resource) }
    return { access: 'Write', publication: state.publisher.publish(upload, durationSeconds) }
  }
  const blob = resource.kind === 'disk' ? exportOfDisk(state, resource) : exportOfSnapshot(resource)
  return { access: 'Read', publication: state.publisher.publish(blob, durationSeconds) }
}

/** An unattached disk does not change while its SAS is out, so its content now is its content. */
function exportOfDisk(state: ComputeState, disk: ManagedDisk): PublishedExport {
  return exportOf(disk, disk.volume.freeze(), state.clock(), undefined)
}

function exportOfSnapshot(snapshot: DiskSnapshot): PublishedExport {
  return exportOf(snapshot, snapshot.content, snapshot.timeCreated, diffGroupOf(snapshot))
}

function exportOf(
  resource: ExportableResource,
  content: FrozenVolume,
  createdAt: Date,
  familyId: string | undefined,
): PublishedExport {
  const { uniqueId } = resource
  return {
    kind: 'export',
    content,
    footer: createVhdFooter({ diskSizeBytes: content.sizeBytes, createdAt, uniqueId }),
    familyId,
    uniqueId,
    createdAt,
    isPrivate: resource.access.networkAccessPolicy === 'AllowPrivate',
    needsBearer: needsBearer(resource),
  }
}

function needsBearer(resource: ExportableResource): boolean {
  return resource.access.dataAccessAuthMode === 'AzureActiveDirectory'
}
