import { randomUUID } from 'node:crypto'
import { ArmError, changeNotAllowed, invalidParameter, notAllowed, notSupportedHere } from './arm-error.ts'
import type { ComputeState } from './compute-state.ts'
import { refuseWhileGranted, withdrawAccess } from './disk-access.ts'
import { isBackgroundCopied, type DiskRestorePoint, type ManagedDisk } from './disk-model.ts'
import { requireRegion } from './regions.ts'
import {
  DISK_RESTORE_POINT_TYPE,
  formatResourceId,
  lookupKey,
  parseResourceId,
  type ResourceId,
} from './resource-id.ts'
import type {
  CollectionBody,
  ConsistencyMode,
  RestorePoint,
  RestorePointBody,
  RestorePointCollection,
} from './restore-point-model.ts'
import { restorePointFamilyIdOf } from './snapshot-family.ts'
import { attachedDisks, type VirtualMachine } from './virtual-machine-model.ts'

/**
 * Making and removing restore points: all disks of a virtual machine at one instant
 * (MicrosoftDocs/azure-compute-docs, virtual-machines-create-restore-points.md).
 *
 * Nothing distinguishes the consistency modes here but what they refuse, as no guest runs.
 */

export const HOUR_MS = 3_600_000

/** A new collection, put into the table. @throws ArmError 400 unless its machine exists and is in its region. */
export function createCollection(state: ComputeState, id: ResourceId, body: CollectionBody): RestorePointCollection {
  const location = requireRegion(body.location).name
  const vm = requireVm(state, body.properties.source.id)
  if (vm.location !== location) {
    throw notSupportedHere('A restore point collection of a virtual machine in another region')
  }
  const collection = { id, uniqueId: randomUUID(), location, vmId: vm.id, tags: body.tags }
  state.restorePointCollections.put(collection)
  return collection
}

/** A PUT on what exists changes its tags. @throws ArmError 409 for another source. */
export function replaceCollection(state: ComputeState, collection: RestorePointCollection, body: CollectionBody): void {
  if (body.properties.source.id.toLowerCase() !== lookupKey(collection.vmId)) throw changeNotAllowed('source')
  collection.tags = body.tags
  state.restorePointCollections.changed(collection)
}

/**
 * A new restore point with one disk restore point for each disk that is not excluded, put into the tables. The disks
 * are frozen in one turn of the event loop, so no write lies between them.
 * @throws ArmError 409 beyond a limit, 400 for a disk that the consistency mode does not cover.
 */
export function createRestorePoint(
  state: ComputeState,
  id: ResourceId,
  collection: RestorePointCollection,
  body: RestorePointBody,
): RestorePoint {
  const { consistencyMode, excludeDisks, sourceRestorePoint } = body.properties
  if (sourceRestorePoint !== undefined) throw notSupportedHere('A restore point copied from another one')
  const vm = requireVm(state, formatResourceId(collection.vmId))
  checkLimits(state, vm)
  const excluded = new Set(excludeDisks.map((disk) => disk.id.toLowerCase()))
  const disks = attachedDisks(vm)
    .filter(({ diskId }) => !excluded.has(lookupKey(diskId)))
    .flatMap(({ diskId, properties }) => {
      const disk = state.disks.get(diskId)
      return disk === undefined ? [] : [{ disk, isAccelerated: properties['writeAcceleratorEnabled'] === true }]
    })
  if (disks.length === 0) throw invalidParameter('excludeDisks', 'No disk is left.')
  for (const { disk, isAccelerated } of disks) checkConsistency(disk, isAccelerated, consistencyMode)

  const timeCreated = state.nextInstant()
  const points = disks.map(({ disk }) => diskRestorePointOf(id, disk, timeCreated))
  for (const point of points) state.diskRestorePoints.put(point)
  const { uniqueId, location, properties, osDisk, dataDisks } = vm
  const restorePoint: RestorePoint = {
    id,
    timeCreated,
    consistencyMode,
    excludedDiskIds: excludeDisks.map((disk) => disk.id),
    source: { uniqueId, location, properties, osDisk, dataDisks },
    diskRestorePoints: Object.fromEntries(points.map((point) => [lookupKey(point.sourceDiskId), point.id])),
  }
  state.restorePoints.put(restorePoint)
  state.restorePointLog.record(vm.uniqueId, timeCreated)
  return restorePoint
}

export function diskRestorePointsOf(state: ComputeState, restorePoint: RestorePoint): DiskRestorePoint[] {
  return Object.values(restorePoint.diskRestorePoints).flatMap((id) => state.diskRestorePoints.get(id) ?? [])
}

export function restorePointsOf(state: ComputeState, collection: RestorePointCollection): RestorePoint[] {
  const prefix = `${lookupKey(collection.id)}/`
  return [...state.restorePoints.all()].filter((restorePoint) => lookupKey(restorePoint.id).startsWith(prefix))
}

/** @throws ArmError 409 while a SAS of one of its disks is out. */
export function checkRestorePointDelete(state: ComputeState, restorePoint: RestorePoint): void {
  for (const point of diskRestorePointsOf(state, restorePoint)) refuseWhileGranted(state, point)
}

export function removeRestorePoint(state: ComputeState, restorePoint: RestorePoint): void {
  for (const point of diskRestorePointsOf(state, restorePoint)) {
    withdrawAccess(state, point)
    state.diskRestorePoints.delete(point.id)
  }
  state.restorePoints.delete(restorePoint.id)
}

/** With all its restore points. */
export function removeCollection(state: ComputeState, collection: RestorePointCollection): void {
  for (const restorePoint of restorePointsOf(state, collection)) removeRestorePoint(state, restorePoint)
  state.restorePointCollections.delete(collection.id)
}

function requireVm(state: ComputeState, vmId: string): VirtualMachine {
  const id = parseResourceId(vmId)
  const vm = id?.type === 'virtualMachines' ? state.virtualMachines.get(id) : undefined
  if (vm === undefined) throw invalidParameter('source.id', `There is no virtual machine '${vmId}'.`)
  return vm
}

function checkLimits(state: ComputeState, vm: VirtualMachine): void {
  const { restorePointsPerHour, restorePointsPerVm, enforceSnapshotRate } = state.settings()
  const existing = [...state.restorePoints.all()].filter(({ source }) => source.uniqueId === vm.uniqueId).length
  if (existing >= restorePointsPerVm) {
    throw notAllowed(`Virtual machine '${vm.id.name}' has ${existing} restore points; at most ${restorePointsPerVm}.`)
  }
  const recent = state.restorePointLog.countSince(vm.uniqueId, new Date(state.clock().getTime() - HOUR_MS))
  if (!enforceSnapshotRate || recent < restorePointsPerHour) return
  throw new ArmError(
    409,
    'RestorePointOperationRateExceeded',
    `At most ${restorePointsPerHour} restore points of a virtual machine can be made in an hour.`,
  )
}

function checkConsistency(disk: ManagedDisk, isAccelerated: boolean, mode: ConsistencyMode): void {
  if (mode !== 'CrashConsistent') return
  const why = isBackgroundCopied(disk.sku)
    ? `of SKU '${disk.sku}'`
    : (disk.performance.maxShares ?? 1) > 1
      ? 'shared'
      : isAccelerated
        ? 'write-accelerated'
        : undefined
  if (why !== undefined) {
    throw notAllowed(`Disk '${disk.id.name}' is ${why}: crash-consistent restore points do not cover it, exclude it.`)
  }
}

function diskRestorePointOf(restorePointId: ResourceId, disk: ManagedDisk, timeCreated: Date): DiskRestorePoint {
  const { subscriptionId, resourceGroup, name } = restorePointId
  const uniqueId = randomUUID()
  return {
    kind: 'diskRestorePoint',
    id: { subscriptionId, resourceGroup, type: DISK_RESTORE_POINT_TYPE, name: `${name}/${disk.id.name}_${uniqueId}` },
    uniqueId,
    location: disk.location,
    timeCreated,
    completeAt: timeCreated,
    sectorSizeBytes: disk.sectorSizeBytes,
    content: disk.volume.freeze(),
    familyId: restorePointFamilyIdOf(disk),
    inherited: disk.inherited,
    access: disk.access,
    grant: undefined,
    sourceDiskId: disk.id,
    sourceUniqueId: disk.uniqueId,
  }
}
