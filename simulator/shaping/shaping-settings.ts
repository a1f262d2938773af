import { z } from 'zod'

/** How fast the blob service is. Without a rate there is no limit. */

const rate = z.number().positive().optional()
const ratesSchema = z.strictObject({ bytesPerSecond: rate, requestsPerSecond: rate })

export const shapingSettingsSchema = z.strictObject({
  /** Of each blob, its snapshots included. */
  blob: ratesSchema.default({}),
  /** Of each account, all of its blobs together. */
  account: ratesSchema.default({}),
  /** Added to every answer. */
  latencyMs: z.number().min(0).default(0),
  /** At most this much more, evenly spread. */
  jitterMs: z.number().min(0).default(0),
  /** A request that would wait longer than this for those before it is answered 503 ServerBusy at once. */
  queueMs: z.number().min(0).default(1000),
})

export type ShapingSettings = z.infer<typeof shapingSettingsSchema>
export type ShapingSpec = z.input<typeof shapingSettingsSchema>

const UNLIMITED: ShapingSpec = {}

/** The documented targets of one page blob (MicrosoftDocs/azure-docs, includes/storage-blob-scale-targets.md). */
const AZURE: ShapingSpec = { blob: { bytesPerSecond: 60 * 2 ** 20, requestsPerSecond: 500 }, latencyMs: 15 }

export const SHAPING_PROFILES = { none: UNLIMITED, azure: AZURE } as const
export type ShapingProfile = keyof typeof SHAPING_PROFILES

export const shapingChangeSchema = z.union([z.enum(['none', 'azure']), shapingSettingsSchema])
/** The name of a profile, or settings. */
export type ShapingChange = ShapingProfile | ShapingSpec

/** @throws ZodError for a profile or setting that does not exist, or a value out of range. */
export function shapingSettings(change: ShapingChange): ShapingSettings {
  const parsed = shapingChangeSchema.parse(change)
  return typeof parsed === 'string' ? shapingSettingsSchema.parse(SHAPING_PROFILES[parsed]) : parsed
}
