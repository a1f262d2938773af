import type { ComputeState } from './compute-state.ts'
import type { ExportableResource } from './disk-model.ts'

/** Every disk, snapshot and disk restore point. */
export function allExportables(state: ComputeState): ExportableResource[] {
  return [...state.disks.all(), ...state.snapshots.all(), ...state.diskRestorePoints.all()]
}

/** Tells its table of a change, which is what keeps the change. */
export function keep(state: ComputeState, resource: ExportableResource): void {
  switch (resource.kind) {
    case 'disk':
      return state.disks.changed(resource)
    case 'snapshot':
      return state.snapshots.changed(resource)
    case 'diskRestorePoint':
      return state.diskRestorePoints.changed(resource)
  }
}
