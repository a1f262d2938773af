import { randomUUID } from 'node:crypto'
import { invalidParameter, notSupportedHere } from './arm-error.ts'
import type { ComputeState } from './compute-state.ts'
import { requireCopySource } from './copy-source.ts'
import { requireImportSource } from './import-source.ts'
import { askedBytes, GIB, type ManagedDisk, type SectorSizeBytes } from './disk-model.ts'
import { checkDiskName, checkDiskSize, checkDiskSku, requireUploadSize, sectorSizeOf } from './disk-rules.ts'
import { requireRegion } from './regions.ts'
import {
  accessSchema,
  inheritedSchema,
  performanceSchema,
  type DiskBody,
  type InheritedProperties,
} from './request-bodies.ts'
import type { ResourceId } from './resource-id.ts'
import { VHD_FOOTER_BYTES } from './vhd-footer.ts'
import type { Volume } from '../store/volume.ts'

/**
 * Making a managed disk: empty, as a copy of a disk, snapshot or restore point, of a VHD in a page blob, or as the
 * target of an upload.
 */

interface DiskContent {
  readonly volume: Volume
  readonly sectorSizeBytes: SectorSizeBytes
  readonly upload: ManagedDisk['upload']
  readonly sourceUniqueId?: string
  readonly inherited?: InheritedProperties
}

const DEFAULT_SKU = 'Standard_LRS'

/**
 * A new disk in the state `Creating`, put into the table. The caller has made sure that there is none of this id.
 * @throws ArmError 400 for a body that breaks a rule, 404 or 409 for a copy source that is gone or not ready.
 */
export function createDisk(state: ComputeState, id: ResourceId, body: DiskBody): ManagedDisk {
  checkDiskName(id.name)
  const region = requireRegion(body.location)
  const sku = body.sku?.name ?? DEFAULT_SKU
  checkDiskSku(sku, region)
  const content = contentOf(state, body, sku)

  const disk: ManagedDisk = {
    kind: 'disk',
    id,
    uniqueId: randomUUID(),
    location: region.name,
    timeCreated: state.nextInstant(),
    creationData: { ...body.properties.creationData, sourceUniqueId: content.sourceUniqueId },
    sectorSizeBytes: content.sectorSizeBytes,
    volume: content.volume,
    upload: content.upload,
    attachedTo: undefined,
    zones: body.zones,
    provisioningState: 'Creating',
    sku,
    tags: body.tags,
    inherited: { ...content.inherited, ...inheritedSchema.parse(body.properties) },
    access: accessSchema.parse(body.properties),
    performance: performanceSchema.parse(body.properties),
    grant: undefined,
  }
  state.disks.put(disk)
  return disk
}

function contentOf(state: ComputeState, body: DiskBody, sku: string): DiskContent {
  const { creationData, diskSizeGB } = body.properties
  switch (creationData.createOption) {
    case 'Empty': {
      if (diskSizeGB === undefined) throw invalidParameter('diskSizeGB', 'An empty disk needs it.')
      checkDiskSize(diskSizeGB, sku)
      const sectorSizeBytes = sectorSizeOf(sku, creationData.logicalSectorSize)
      return { volume: state.createVolume(diskSizeGB * GIB), sectorSizeBytes, upload: undefined }
    }
    case 'Upload': {
      const uploadSizeBytes = requireUploadSize(creationData.uploadSizeBytes)
      const sectorSizeBytes = sectorSizeOf(sku, creationData.logicalSectorSize)
      if (sectorSizeBytes === 4096) throw notSupportedHere('Uploading a VHDX, which sectors of 4096 bytes need,')
      return { volume: state.createVolume(uploadSizeBytes), sectorSizeBytes, upload: 'pending' }
    }
    case 'Import': {
      const blob = requireImportSource(state, creationData, body.location)
      const volume = blob.fork()
      volume.resize(blob.sizeBytes - VHD_FOOTER_BYTES)
      growTo(volume, diskSizeGB, sku)
      return { volume, sectorSizeBytes: sectorSizeOf(sku, 512), upload: undefined }
    }
    case 'Copy':
    case 'Restore':
      return copiedContent(state, body, sku)
    default:
      throw notSupportedHere(`createOption '${creationData.createOption}' of a disk`)
  }
}

function copiedContent(state: ComputeState, body: DiskBody, sku: string): DiskContent {
  const { creationData, diskSizeGB } = body.properties
  const { resource, freeze } = requireCopySource(state, creationData.sourceResourceId, body.location)
  // A VHDX, so a source with sectors of 4,096 bytes, fits only Ultra and Premium SSD v2.
  const sectorSizeBytes = sectorSizeOf(sku, resource.sectorSizeBytes)
  const volume = freeze().fork()
  growTo(volume, diskSizeGB, sku)
  return {
    volume,
    sectorSizeBytes,
    upload: undefined,
    sourceUniqueId: resource.uniqueId,
    inherited: resource.inherited,
  }
}

function growTo(volume: Volume, diskSizeGB: number | undefined, sku: string): void {
  const sizeBytes = askedBytes(diskSizeGB, volume.sizeBytes)
  checkDiskSize(Math.ceil(sizeBytes / GIB), sku)
  if (sizeBytes < volume.sizeBytes) throw invalidParameter('diskSizeGB', 'A copy cannot be smaller than its source.')
  if (sizeBytes > volume.sizeBytes) volume.resize(sizeBytes)
}
