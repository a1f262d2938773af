import { changeNotAllowed, invalidParameter, notAllowed } from './arm-error.ts'
import type { ComputeState } from './compute-state.ts'
import { askedBytes, GIB, liveGrant, type ManagedDisk } from './disk-model.ts'
import { checkDiskSize, checkDiskSku } from './disk-rules.ts'
import { requireRegion } from './regions.ts'
import { accessSchema, inheritedSchema, performanceSchema, type DiskBody, type DiskUpdate } from './request-bodies.ts'

/** Changing a disk that exists, by PATCH or by a second PUT. */

/**
 * Applies what the update names and leaves the rest. All or nothing.
 * @throws ArmError 400 for a smaller size or an unknown SKU, 409 while a SAS or an upload holds the disk's size.
 */
export function updateDisk(state: ComputeState, disk: ManagedDisk, update: DiskUpdate): void {
  const { diskSizeGB, ...properties } = update.properties
  if (update.sku !== undefined) checkDiskSku(update.sku.name, requireRegion(disk.location))
  const sizeBytes = askedBytes(diskSizeGB, disk.volume.sizeBytes)
  if (diskSizeGB !== undefined && sizeBytes !== disk.volume.sizeBytes) checkGrowth(state, disk, diskSizeGB)

  if (update.sku !== undefined) disk.sku = update.sku.name
  if (update.tags !== undefined) disk.tags = update.tags
  disk.inherited = { ...disk.inherited, ...inheritedSchema.parse(properties) }
  disk.access = { ...disk.access, ...accessSchema.parse(properties) }
  disk.performance = { ...disk.performance, ...performanceSchema.parse(properties) }
  if (sizeBytes !== disk.volume.sizeBytes) disk.volume.resize(sizeBytes)
}

/** A PUT on an existing disk changes what PATCH can change. @throws ArmError 409 PropertyChangeNotAllowed otherwise. */
export function replaceDisk(state: ComputeState, disk: ManagedDisk, body: DiskBody): void {
  const { creationData, ...properties } = body.properties
  const { createOption, uploadSizeBytes, sourceResourceId, sourceUri } = disk.creationData
  const isSameOrigin =
    creationData.createOption === createOption &&
    creationData.uploadSizeBytes === uploadSizeBytes &&
    creationData.sourceUri === sourceUri &&
    creationData.sourceResourceId?.toLowerCase() === sourceResourceId?.toLowerCase()
  if (!isSameOrigin) throw changeNotAllowed('creationData')
  if (requireRegion(body.location).name !== disk.location) throw changeNotAllowed('location')
  updateDisk(state, disk, { tags: body.tags, sku: body.sku, properties })
}

function checkGrowth(state: ComputeState, disk: ManagedDisk, sizeGib: number): void {
  checkDiskSize(sizeGib, disk.sku)
  if (disk.upload !== undefined) throw notAllowed(`Disk '${disk.id.name}' is being uploaded and cannot be resized.`)
  if (liveGrant(disk, state.clock()) !== undefined) {
    throw notAllowed(`Disk '${disk.id.name}' has an active shared access signature and cannot be resized.`)
  }
  if (sizeGib * GIB < disk.volume.sizeBytes) {
    throw invalidParameter('diskSizeGB', 'The size of a disk can only be increased.')
  }
}
