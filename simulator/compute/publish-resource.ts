import type { DataRight, PublishedExport } from '../blob-service/published-blob.ts'
import type { FrozenVolume } from '../store/volume.ts'
import type { ComputeState } from './compute-state.ts'
import type { AccessGrant, DiskRestorePoint, DiskSnapshot, ExportableResource, ManagedDisk } from './disk-model.ts'
import { formatResourceId } from './resource-id.ts'
import { diffGroupOf } from './snapshot-family.ts'
import { createVhdFooter } from './vhd-footer.ts'
import { createVhdxHead } from './vhdx-head.ts'

/**
 * What a SAS of a disk, snapshot or disk restore point is of: a fixed VHD, content and footer, to read or to write; a
 * fixed VHDX, to read, where sectors have 4,096 bytes.
 */

/** A new SAS: to write for a disk that is being uploaded, to read for everything else. */
export function publishResource(
  state: ComputeState,
  resource: ExportableResource,
  durationSeconds: number,
): AccessGrant {
  if (resource.kind === 'disk' && resource.upload !== undefined) {
    const { volume, uniqueId } = resource
    const upload = { kind: 'upload' as const, volume, uniqueId, ...entraRules(resource, 'upload') }
    return { access: 'Write', publication: state.publisher.publish(upload, durationSeconds) }
  }
  const blob = resource.kind === 'disk' ? exportOfDisk(state, resource) : exportOfPoint(state, resource)
  return { access: 'Read', publication: state.publisher.publish(blob, durationSeconds) }
}

/** An unattached disk does not change while its SAS is out, so its content now is its content. */
function exportOfDisk(state: ComputeState, disk: ManagedDisk): PublishedExport {
  return exportOf(disk, disk.volume.freeze(), state.clock(), undefined)
}

function exportOfPoint(state: ComputeState, point: DiskSnapshot | DiskRestorePoint): PublishedExport {
  const hasDiff = point.sectorSizeBytes === 512 || state.settings().vhdxDiff === 'answer'
  return exportOf(point, point.content, point.timeCreated, hasDiff ? diffGroupOf(point) : undefined)
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
    ...imageOf(resource, content, createdAt),
    familyId,
    uniqueId,
    createdAt,
    isPrivate: isPrivate(resource),
    ...entraRules(resource, 'download'),
  }
}

/** What makes an image of the content. */
function imageOf(
  { sectorSizeBytes, uniqueId }: ExportableResource,
  { sizeBytes: diskSizeBytes }: FrozenVolume,
  createdAt: Date,
): Pick<PublishedExport, 'head' | 'footer'> {
  if (sectorSizeBytes === 4096) return { head: createVhdxHead({ diskSizeBytes, uniqueId }), footer: Buffer.alloc(0) }
  return { footer: createVhdFooter({ diskSizeBytes, createdAt, uniqueId }) }
}

/** Either is enough: the data is then for the private endpoints of a disk access resource only. */
function isPrivate(resource: ExportableResource): boolean {
  const { networkAccessPolicy, publicNetworkAccess } = resource.access
  return networkAccessPolicy === 'AllowPrivate' || publicNetworkAccess === 'Disabled'
}

/** The data actions are those of the built-in role Data Operator for Managed Disks. */
function entraRules(
  resource: ExportableResource,
  verb: 'download' | 'upload',
): { needsBearer: boolean; dataRight: DataRight } {
  return {
    needsBearer: resource.access.dataAccessAuthMode === 'AzureActiveDirectory',
    dataRight: {
      action: `Microsoft.Compute/${resource.id.type}/${verb}/action`,
      scope: formatResourceId(resource.id),
    },
  }
}
