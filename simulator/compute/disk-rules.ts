import { invalidParameter } from './arm-error.ts'
import { GIB, isBackgroundCopied, MIB, type SectorSizeBytes } from './disk-model.ts'
import type { Region } from './regions.ts'
import { VHD_FOOTER_BYTES } from './vhd-footer.ts'

/** What a disk may be: names, SKUs, sizes, sector sizes. Each check throws ArmError 400 InvalidParameter. */

const SKUS = new Set([
  'Standard_LRS', 'Premium_LRS', 'StandardSSD_LRS', 'UltraSSD_LRS', 'Premium_ZRS', 'StandardSSD_ZRS', 'PremiumV2_LRS',
])
const MAX_DISK_GIB = 32_767
const MAX_BACKGROUND_COPIED_DISK_GIB = 65_536

/** 20 MiB and 32 TiB, each with the footer (documentation of `CreationData.uploadSizeBytes`). */
const MIN_UPLOAD_BYTES = 20 * MIB + VHD_FOOTER_BYTES
const MAX_UPLOAD_BYTES = 32 * 1024 * GIB + VHD_FOOTER_BYTES

export function checkDiskName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/.test(name)) throw invalidParameter('disk.name')
}

export function checkDiskSku(sku: string, region: Region): void {
  if (!SKUS.has(sku)) throw invalidParameter('sku.name', `There is no disk SKU '${sku}'.`)
  if (sku.endsWith('_ZRS') && !region.hasZones) {
    throw invalidParameter('sku.name', `Region '${region.name}' has no zone-redundant disks.`)
  }
}

export function checkDiskSize(sizeGib: number, sku: string): void {
  const maxGib = isBackgroundCopied(sku) ? MAX_BACKGROUND_COPIED_DISK_GIB : MAX_DISK_GIB
  if (sizeGib <= maxGib) return
  throw invalidParameter('diskSizeGB', `A disk of SKU '${sku}' has at most ${maxGib} GiB.`)
}

/** Returns the size given. Fixed VHDs must be whole mebibytes and a footer, or Azure refuses them. */
export function requireUploadSize(uploadSizeBytes: number | undefined): number {
  if (uploadSizeBytes === undefined || uploadSizeBytes < MIN_UPLOAD_BYTES || uploadSizeBytes > MAX_UPLOAD_BYTES) {
    throw invalidParameter(
      'creationData.uploadSizeBytes',
      `It must be between ${MIN_UPLOAD_BYTES} and ${MAX_UPLOAD_BYTES} bytes.`,
    )
  }
  if ((uploadSizeBytes - VHD_FOOTER_BYTES) % MIB !== 0) {
    throw invalidParameter('creationData.uploadSizeBytes', 'It must be a multiple of 1 MiB plus 512 bytes.')
  }
  return uploadSizeBytes
}

/** Ultra and Premium SSD v2 may have either size and have 4,096 by default; every other disk has 512. */
export function sectorSizeOf(sku: string, requested: SectorSizeBytes | undefined): SectorSizeBytes {
  if (isBackgroundCopied(sku)) return requested ?? 4096
  if (requested === 4096) {
    throw invalidParameter('creationData.logicalSectorSize', `Disks of SKU '${sku}' have sectors of 512 bytes.`)
  }
  return 512
}
