import type { Journal } from '../../state/journal.ts'
import type { DiskRestorePoint, DiskSnapshot, ManagedDisk } from '../disk-model.ts'
import type { ResourceId } from '../resource-id.ts'
import { createResourceTable, type ResourceTable } from '../resource-table.ts'
import type { RestorePoint, RestorePointCollection } from '../restore-point-model.ts'
import type { VirtualMachine } from '../virtual-machine-model.ts'
import { keptValue, restoredValue, type NamedThings } from './kept-value.ts'

/** All resources of the compute service, as a part of the journal that writes each as a whole when it changes. */

export interface ResourceTables {
  readonly disks: ResourceTable<ManagedDisk>
  readonly snapshots: ResourceTable<DiskSnapshot>
  readonly virtualMachines: ResourceTable<VirtualMachine>
  readonly restorePointCollections: ResourceTable<RestorePointCollection>
  readonly restorePoints: ResourceTable<RestorePoint>
  readonly diskRestorePoints: ResourceTable<DiskRestorePoint>
}

type TableName = keyof ResourceTables

/** Ids are plain JSON; resources are as `keptValue` makes them. */
type ResourceEntry =
  | { readonly kind: 'put'; readonly table: TableName; readonly resource: unknown }
  | { readonly kind: 'gone'; readonly table: TableName; readonly id: ResourceId }

type Resource = { readonly id: ResourceId }

/** Volumes and publications must have joined the journal before. */
export function createResourceTables(journal: Journal, things: NamedThings): ResourceTables {
  const bare: ResourceTables = {
    disks: createResourceTable(),
    snapshots: createResourceTable(),
    virtualMachines: createResourceTable(),
    restorePointCollections: createResourceTable(),
    restorePoints: createResourceTable(),
    diskRestorePoints: createResourceTable(),
  }
  if (!journal.isKept) return bare

  const tableOf = (name: TableName): ResourceTable<Resource> => bare[name]
  const putEntry = (table: TableName, resource: Resource): ResourceEntry => ({
    kind: 'put',
    table,
    resource: keptValue(resource),
  })
  const write = journal.join<ResourceEntry>({
    name: 'compute',
    apply(entry) {
      if (entry.kind === 'gone') tableOf(entry.table).delete(entry.id)
      else tableOf(entry.table).put(settled(restoredValue(entry.resource, things) as Resource))
    },
    *entries() {
      for (const name of Object.keys(bare) as TableName[]) {
        for (const resource of tableOf(name).all()) yield putEntry(name, resource)
      }
    },
  })
  const kept = <T extends Resource>(name: TableName, table: ResourceTable<T>): ResourceTable<T> => ({
    ...table,
    put(resource) {
      table.put(resource)
      write(putEntry(name, resource))
    },
    changed(resource) {
      if (table.get(resource.id) === resource) write(putEntry(name, resource))
    },
    delete(id) {
      if (table.get(id) !== undefined) write({ kind: 'gone', table: name, id })
      table.delete(id)
    },
  })
  return {
    disks: kept('disks', bare.disks),
    snapshots: kept('snapshots', bare.snapshots),
    virtualMachines: kept('virtualMachines', bare.virtualMachines),
    restorePointCollections: kept('restorePointCollections', bare.restorePointCollections),
    restorePoints: kept('restorePoints', bare.restorePoints),
    diskRestorePoints: kept('diskRestorePoints', bare.diskRestorePoints),
  }
}

/** What was under way ended with the process; a SAS that ran out since is not granted any more. */
function settled(resource: Resource): Resource {
  const { provisioningState, grant } = resource as { provisioningState?: string; grant?: { publication?: unknown } }
  return {
    ...resource,
    ...(provisioningState === undefined ? {} : { provisioningState: 'Succeeded' }),
    ...(grant !== undefined && grant.publication === undefined ? { grant: undefined } : {}),
  }
}
