/** The disk of a point as its manifest describes it: `DiskShape` and `NetworkAccess`. Every key that was added later is optional. */
import { z } from 'zod'

const keyVault = z.object({ id: z.string().exactOptional() })

export const diskShape = z.object({
  sku: z.string().exactOptional(),
  zones: z.array(z.string()).readonly().exactOptional(),
  osType: z.string().exactOptional(),
  hyperVGeneration: z.string().exactOptional(),
  architecture: z.string().exactOptional(),
  securityType: z.string().exactOptional(),
  diskControllerTypes: z.string().exactOptional(),
  supportsHibernation: z.boolean().exactOptional(),
  acceleratedNetwork: z.boolean().exactOptional(),
  logicalSectorBytes: z.number().int().nonnegative(),
  purchasePlan: z
    .object({ name: z.string(), publisher: z.string(), product: z.string(), promotionCode: z.string().exactOptional() })
    .exactOptional(),
  dataAccessAuthMode: z.string().exactOptional(),
  performance: z
    .object({
      tier: z.string().exactOptional(),
      diskIopsReadWrite: z.number().exactOptional(),
      diskMBpsReadWrite: z.number().exactOptional(),
      diskIopsReadOnly: z.number().exactOptional(),
      diskMBpsReadOnly: z.number().exactOptional(),
      maxShares: z.number().exactOptional(),
      burstingEnabled: z.boolean().exactOptional(),
    })
    .exactOptional(),
  encryption: z.object({ type: z.string().exactOptional(), diskEncryptionSetId: z.string() }).exactOptional(),
  encryptionSettingsCollection: z
    .object({
      enabled: z.boolean(),
      encryptionSettings: z
        .array(
          z.object({
            diskEncryptionKey: z.object({ sourceVault: keyVault, secretUrl: z.string() }).exactOptional(),
            keyEncryptionKey: z.object({ sourceVault: keyVault, keyUrl: z.string() }).exactOptional(),
          }),
        )
        .readonly()
        .exactOptional(),
      encryptionSettingsVersion: z.string().exactOptional(),
    })
    .exactOptional(),
  tags: z.record(z.string(), z.string()).readonly().exactOptional(),
})

export const networkAccess = z.object({
  networkAccessPolicy: z.string().exactOptional(),
  diskAccessId: z.string().exactOptional(),
  publicNetworkAccess: z.string().exactOptional(),
})
