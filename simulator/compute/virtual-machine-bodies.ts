import { z } from 'zod'

/** The bodies that the operations on virtual machines take. What has no effect here is kept and shown again. */

const attached = {
  createOption: z.string(),
  deleteOption: z.enum(['Detach', 'Delete']).default('Detach'),
  diskSizeGB: z.int().min(1).optional(),
  name: z.string().optional(),
  managedDisk: z.looseObject({ id: z.string().optional(), storageAccountType: z.string().optional() }).optional(),
}
const osDisk = z.looseObject(attached)
const dataDisk = z.looseObject({ ...attached, lun: z.int().min(0).max(63) })
const storageProfile = z.looseObject({ osDisk: osDisk.optional(), dataDisks: z.array(dataDisk).default([]) })

export const vmBodySchema = z.object({
  location: z.string(),
  tags: z.record(z.string(), z.string()).default({}),
  zones: z.array(z.string()).optional(),
  properties: z.looseObject({ storageProfile: storageProfile.default({ dataDisks: [] }) }),
})

export const vmUpdateSchema = z.object({
  tags: z.record(z.string(), z.string()).optional(),
  properties: z.looseObject({ storageProfile: storageProfile.optional() }).optional(),
})

export const attachDetachSchema = z.object({
  dataDisksToAttach: z.array(z.object({ diskId: z.string(), lun: z.int().min(0).max(63).optional() })).default([]),
  dataDisksToDetach: z.array(z.object({ diskId: z.string() })).default([]),
})

export type VmBody = z.infer<typeof vmBodySchema>
export type VmUpdate = z.infer<typeof vmUpdateSchema>
export type AttachDetachBody = z.infer<typeof attachDetachSchema>
export type DiskAttachment = z.infer<typeof osDisk>
export type StorageProfile = z.infer<typeof storageProfile>
