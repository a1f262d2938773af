import type { ComputeState } from './compute-state.ts'
import type { ExportableResource } from './disk-model.ts'

/** Every disk, snapshot and disk restore point. */
export function allExportables(state: ComputeState): ExportableResource[] {
  return [...state.disks.all(), ...state.snapshots.all(), ...state.diskRestorePoints.all()]
}

/** Puts a resource back into its table after a change, which is what keeps the change. */
export function keep(state: ComputeState, resource: ExportableResource): void {
  switch (resource.kind) {
    case 'disk':
      return state.disks.put(resource)
    case 'snapshot':
      return state.snapshots.put(resource)
    case 'diskRestorePoint':
      return state.diskRestorePoints.put(resource)
  }
}
