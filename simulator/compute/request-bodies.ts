import { z } from 'zod'
import { ArmError } from './arm-error.ts'

/**
 * The bodies that the disk and snapshot operations take (api-version 2025-01-02). Properties that are read-only on
 * Azure are dropped, so that a document that was read may be sent back.
 */

const document = z.record(z.string(), z.unknown())
const tags = z.record(z.string(), z.string())
const sku = z.object({ name: z.string() })

/** Kept as they are given, inherited from disk to snapshot and back. */
const inheritedShape = {
  osType: z.enum(['Windows', 'Linux']).optional(),
  hyperVGeneration: z.enum(['V1', 'V2']).optional(),
  purchasePlan: document.optional(),
  supportedCapabilities: document.optional(),
  securityProfile: document.optional(),
  supportsHibernation: z.boolean().optional(),
  encryption: document.optional(),
  encryptionSettingsCollection: document.optional(),
}

/** Who may export or upload; never inherited. */
const accessShape = {
  networkAccessPolicy: z.enum(['AllowAll', 'AllowPrivate', 'DenyAll']).optional(),
  diskAccessId: z.string().optional(),
  publicNetworkAccess: z.enum(['Enabled', 'Disabled']).optional(),
  dataAccessAuthMode: z.enum(['None', 'AzureActiveDirectory']).optional(),
}

/** Performance and sharing of a disk: kept, without effect here. */
const performanceShape = {
  diskIOPSReadWrite: z.number().optional(),
  diskMBpsReadWrite: z.number().optional(),
  diskIOPSReadOnly: z.number().optional(),
  diskMBpsReadOnly: z.number().optional(),
  maxShares: z.int().optional(),
  tier: z.string().optional(),
  burstingEnabled: z.boolean().optional(),
  optimizedForFrequentAttach: z.boolean().optional(),
  availabilityPolicy: document.optional(),
}

const creationData = z.object({
  createOption: z.string(),
  sourceResourceId: z.string().optional(),
  sourceUri: z.string().optional(),
  storageAccountId: z.string().optional(),
  instantAccessDurationMinutes: z.int().min(60).max(300).optional(),
  provisionedBandwidthCopySpeed: z.enum(['None', 'Enhanced']).optional(),
  uploadSizeBytes: z.int().optional(),
  logicalSectorSize: z.union([z.literal(512), z.literal(4096)]).optional(),
})

export const inheritedSchema = z.object(inheritedShape)
export const accessSchema = z.object(accessShape)
export const performanceSchema = z.object(performanceShape)

export const diskBodySchema = z.object({
  location: z.string(),
  tags: tags.default({}),
  sku: sku.optional(),
  zones: z.array(z.string()).optional(),
  properties: z.object({
    ...inheritedShape,
    ...accessShape,
    ...performanceShape,
    creationData,
    diskSizeGB: z.int().min(1).optional(),
  }),
})

export const diskUpdateSchema = z.object({
  tags: tags.optional(),
  sku: sku.optional(),
  properties: z
    .object({ ...inheritedShape, ...accessShape, ...performanceShape, diskSizeGB: z.int().min(1).optional() })
    .default({}),
})

export const snapshotBodySchema = z.object({
  location: z.string(),
  tags: tags.default({}),
  sku: sku.optional(),
  properties: z.object({ ...inheritedShape, ...accessShape, creationData, incremental: z.boolean().default(false) }),
})

export const snapshotUpdateSchema = z.object({
  tags: tags.optional(),
  sku: sku.optional(),
  properties: z.object({ ...inheritedShape, ...accessShape }).default({}),
})

export const grantAccessSchema = z.object({
  access: z.enum(['None', 'Read', 'Write']),
  durationInSeconds: z.int(),
  fileFormat: z.enum(['VHD', 'VHDX']).optional(),
})

export const resourceGroupBodySchema = z.object({ location: z.string(), tags: tags.default({}) })

export type InheritedProperties = z.infer<typeof inheritedSchema>
export type AccessProperties = z.infer<typeof accessSchema>
export type PerformanceProperties = z.infer<typeof performanceSchema>
export type CreationData = z.infer<typeof creationData>
export type DiskBody = z.infer<typeof diskBodySchema>
export type DiskUpdate = z.infer<typeof diskUpdateSchema>
export type SnapshotBody = z.infer<typeof snapshotBodySchema>
export type SnapshotUpdate = z.infer<typeof snapshotUpdateSchema>
export type GrantAccessBody = z.infer<typeof grantAccessSchema>

/** @throws ArmError 400 InvalidParameter that names the first property that does not fit. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const where = issue?.path.join('.') ?? ''
  const parameter = where === '' ? 'body' : where
  throw new ArmError(400, 'InvalidParameter', `The value of parameter ${parameter} is invalid. ${issue?.message ?? ''}`)
}
