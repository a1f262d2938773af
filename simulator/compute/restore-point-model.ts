import { z } from 'zod'
import type { ResourceId } from './resource-id.ts'
import type { VirtualMachine } from './virtual-machine-model.ts'

/** Restore points of virtual machines: a collection for each machine, a point in time of all its disks in each. */

export interface RestorePointCollection {
  readonly id: ResourceId
  /** `restorePointCollectionId`. A UUID. */
  readonly uniqueId: string
  readonly location: string
  readonly vmId: ResourceId
  tags: Readonly<Record<string, string>>
}

export const CONSISTENCY_MODES = ['CrashConsistent', 'FileSystemConsistent', 'ApplicationConsistent'] as const
export type ConsistencyMode = (typeof CONSISTENCY_MODES)[number]

export interface RestorePoint {
  readonly id: ResourceId
  readonly timeCreated: Date
  readonly consistencyMode: ConsistencyMode
  readonly excludedDiskIds: readonly string[]
  /** The virtual machine as it was; the disks kept are those with a disk restore point. */
  readonly source: Pick<VirtualMachine, 'uniqueId' | 'location' | 'properties' | 'osDisk' | 'dataDisks'>
  /** By lower-case id of the disk. */
  readonly diskRestorePoints: Readonly<Record<string, ResourceId>>
}

const reference = z.object({ id: z.string() })

export const collectionBodySchema = z.object({
  location: z.string(),
  tags: z.record(z.string(), z.string()).default({}),
  properties: z.object({ source: reference }),
})

export const collectionUpdateSchema = z.object({ tags: z.record(z.string(), z.string()).optional() })

export const restorePointBodySchema = z.object({
  properties: z
    .object({
      consistencyMode: z.enum(CONSISTENCY_MODES).default('ApplicationConsistent'),
      excludeDisks: z.array(reference).default([]),
      sourceRestorePoint: reference.optional(),
    })
    .prefault({}),
})

export type CollectionBody = z.infer<typeof collectionBodySchema>
export type RestorePointBody = z.infer<typeof restorePointBodySchema>
