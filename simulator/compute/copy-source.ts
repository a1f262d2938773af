import type { FrozenVolume } from '../store/volume.ts'
import { ArmError, invalidParameter, notAllowed } from './arm-error.ts'
import { completionPercent, snapshotAccessState } from './background-copy.ts'
import { findExportable, type ComputeState } from './compute-state.ts'
import type { DiskRestorePoint, DiskSnapshot, ExportableResource } from './disk-model.ts'
import { normalLocation } from './regions.ts'
import { ownName, parseResourceId } from './resource-id.ts'

/**
 * The source of `createOption: Copy` and `Restore`: a disk, a snapshot or a disk of a restore point, of the same region
 * and ready to be read. The resource group does not matter.
 */

export interface CopySource {
  readonly resource: ExportableResource
  /** The content at the moment of the call. */
  freeze(): FrozenVolume
}

/**
 * @throws ArmError 400 InvalidParameter for an id that is none or for another region, 404 ResourceNotFound for a
 * source that is gone, 409 OperationNotAllowed for one that is still being uploaded or copied.
 */
export function requireCopySource(state: ComputeState, sourceId: string | undefined, location: string): CopySource {
  const resource = requireSourceResource(state, sourceId)
  if (resource.location !== normalLocation(location)) {
    throw invalidParameter('location', `The source is in '${resource.location}'; a copy must be in the same region.`)
  }
  switch (resource.kind) {
    case 'disk':
      if (resource.upload !== undefined) {
        throw notAllowed(`Disk '${resource.id.name}' is being uploaded and cannot be copied yet.`)
      }
      return { resource, freeze: () => resource.volume.freeze() }
    case 'snapshot':
      // Instant access is for this: a disk of it can be made before the background copy ends.
      if (snapshotAccessState(state, resource) === 'InstantAccess') break
      requireComplete(state, resource)
      break
    case 'diskRestorePoint':
      requireComplete(state, resource)
  }
  return { resource, freeze: () => resource.content }
}

/** The resource that an id in a body names. @throws ArmError 400 InvalidParameter or 404 ResourceNotFound. */
export function requireSourceResource(state: ComputeState, sourceId: string | undefined): ExportableResource {
  const id = sourceId === undefined ? undefined : parseResourceId(sourceId)
  if (id === undefined) {
    throw invalidParameter('creationData.sourceResourceId', 'It must be the id of a disk, snapshot or restore point.')
  }
  const resource = findExportable(state, id)
  if (resource === undefined) {
    throw new ArmError(404, 'ResourceNotFound', `The source resource '${sourceId}' was not found.`)
  }
  return resource
}

/** @throws ArmError 409 while what it holds is still being copied to where it is kept. */
export function requireComplete(state: ComputeState, point: DiskSnapshot | DiskRestorePoint): void {
  if (completionPercent(state, point) === 100) return
  throw notAllowed(`The background copy of '${ownName(point.id)}' is not complete.`)
}
