import { z } from 'zod'

/**
 * Limits of the service. They are Azure's documented ones unless somebody changes them, which may be at any time; a
 * limit that cannot be reached, as `Number.MAX_SAFE_INTEGER`, is none.
 */

const MIB = 2 ** 20
const limit = (documented: number) => z.number().min(1).default(documented)

export const blobLimitsSchema = z.strictObject({
  /** 8 TiB. */
  maxPageBlobBytes: limit(8 * 2 ** 40),
  /** Of one Put Page or Put Page From URL that writes; 4 MiB. */
  maxPageWriteBytes: limit(4 * MIB),
  /** Ranges in one answer of Get Page Ranges, also when `maxresults` is omitted; 10,000. */
  maxPageListRanges: limit(10_000),
  /** Blobs or containers in one answer of a list; 5,000. */
  maxListItems: limit(5_000),
  /** Of one Put Blob of a block blob; 5,000 MiB. */
  maxPutBlobBytes: limit(5_000 * MIB),
  /** Of one Put Block; 4,000 MiB. */
  maxBlockBytes: limit(4_000 * MIB),
  /** How long a Copy Blob is pending; 0: none ever is. */
  copyBlobMs: z.number().min(0).default(0),
  /** What Put Page From URL tells of what it wrote: its CRC64; or nothing, or something else, as another implementation might. */
  copyChecksum: z.enum(['crc64', 'none', 'other']).default('crc64'),
  /** Of a premium page blob; 100. */
  maxPremiumSnapshots: limit(100),
  /** Between two snapshots of a premium page blob; ten minutes. */
  premiumSnapshotIntervalMs: z
    .number()
    .min(0)
    .default(10 * 60 * 1000),
})

export type BlobLimits = Readonly<z.infer<typeof blobLimitsSchema>>

/** The present limits with `change` over them. @throws ZodError for a limit that does not exist or cannot be. */
export function changedLimits(present: Partial<BlobLimits>, change: Partial<BlobLimits>): BlobLimits {
  return blobLimitsSchema.parse({ ...present, ...change })
}
