import type { FrozenVolume } from '../store/volume.ts'
import { ArmError, invalidParameter, notAllowed } from './arm-error.ts'
import { findExportable, type ComputeState } from './compute-state.ts'
import { completionPercent, type ExportableResource } from './disk-model.ts'
import { normalLocation } from './regions.ts'
import { parseResourceId } from './resource-id.ts'

/** The source of `createOption: Copy`: a disk or snapshot of the same region that is ready to be read. */

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
  const id = sourceId === undefined ? undefined : parseResourceId(sourceId)
  if (id === undefined) {
    throw invalidParameter('creationData.sourceResourceId', 'It must be the id of a disk or snapshot.')
  }
  const resource = findExportable(state, id)
  if (resource === undefined) {
    throw new ArmError(404, 'ResourceNotFound', `The source resource '${sourceId}' was not found.`)
  }
  if (resource.location !== normalLocation(location)) {
    throw invalidParameter('location', `The source is in '${resource.location}'; a copy must be in the same region.`)
  }

  switch (resource.kind) {
    case 'disk':
      if (resource.upload !== undefined) {
        throw notAllowed(`Disk '${id.name}' is being uploaded and cannot be copied yet.`)
      }
      return { resource, freeze: () => resource.volume.freeze() }
    case 'snapshot':
      if (completionPercent(resource, state.clock()) < 100) {
        throw notAllowed(`The background copy of snapshot '${id.name}' is not complete.`)
      }
      return { resource, freeze: () => resource.content }
  }
}
