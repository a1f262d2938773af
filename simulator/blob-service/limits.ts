/** Limits of the service. They are Azure's documented ones unless a test makes them smaller. */
export interface BlobLimits {
  /** 8 TiB. */
  readonly maxPageBlobBytes: number
  /** Of one Put Page or Put Page From URL that writes; 4 MiB. */
  readonly maxPageWriteBytes: number
  /** Ranges in one answer of Get Page Ranges, also when `maxresults` is omitted; 10,000. */
  readonly maxPageListRanges: number
  /** Blobs or containers in one answer of a list; 5,000. */
  readonly maxListItems: number
  /** Of one Put Blob of a block blob; 5,000 MiB. */
  readonly maxPutBlobBytes: number
  /** Of one Put Block; 4,000 MiB. */
  readonly maxBlockBytes: number
  /** Of a premium page blob; 100. */
  readonly maxPremiumSnapshots: number
  /** Between two snapshots of a premium page blob; ten minutes. */
  readonly premiumSnapshotIntervalMs: number
}

const MIB = 2 ** 20

export const AZURE_LIMITS: BlobLimits = {
  maxPageBlobBytes: 8 * 2 ** 40,
  maxPageWriteBytes: 4 * MIB,
  maxPageListRanges: 10_000,
  maxListItems: 5_000,
  maxPutBlobBytes: 5_000 * MIB,
  maxBlockBytes: 4_000 * MIB,
  maxPremiumSnapshots: 100,
  premiumSnapshotIntervalMs: 10 * 60 * 1000,
}
