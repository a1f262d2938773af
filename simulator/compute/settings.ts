import { z } from 'zod'

/**
 * The limits and switches of the compute service. They may be changed while it runs; each takes effect on the next
 * request. Defaults are the documented limits of Azure, and the speed of a test.
 */

export const computeSettingsSchema = z.strictObject({
  /** Resources in one page of a list. */
  pageSize: z.int().min(1).default(50),
  /** Value of the Retry-After header of a 202. 0 makes the JavaScript SDK fall back to its own two seconds. */
  retryAfterSeconds: z.int().min(0).default(0),
  /** How long an asynchronous operation is reported as running after its effect. 0: done before the first poll. */
  operationMs: z.int().min(0).default(0),
  /** How long the background copy of an Ultra or Premium SSD v2 snapshot takes to reach 100 percent. */
  backgroundCopyMs: z.int().min(0).default(0),
  /** How long a CopyStart takes to reach 100 percent. */
  regionCopyMs: z.int().min(0).default(0),
  /** Snapshots that may be under way to one region of a subscription by CopyStart. */
  copiesPerRegion: z.int().min(1).default(100),
  /** Incremental snapshots of such a disk that may be below 100 percent at a time. */
  pendingBackgroundCopiesPerDisk: z.int().min(1).default(3),
  /** Incremental snapshots of one disk that may exist at a time. */
  snapshotsPerDisk: z.int().min(1).default(500),
  /** Incremental snapshots of one disk that may be made in any five minutes. */
  snapshotsPerFiveMinutes: z.int().min(1).default(7),
  /** Off: the five-minute limit is not enforced. */
  enforceSnapshotRate: z.boolean().default(true),
  /** Restore points of a virtual machine that may exist, and that may be made in an hour (by `enforceSnapshotRate`). */
  restorePointsPerVm: z.int().min(1).default(500),
  restorePointsPerHour: z.int().min(1).default(3),
  /** Off: no request is answered 429. */
  enforceThrottling: z.boolean().default(true),
  /** Requests of a principal in a subscription: how many at once, and how many more each second. */
  readBucket: z.int().min(1).default(250),
  readsPerSecond: z.number().positive().default(25),
  writeBucket: z.int().min(1).default(200),
  writesPerSecond: z.number().positive().default(10),
  deleteBucket: z.int().min(1).default(200),
  deletesPerSecond: z.number().positive().default(10),
  /** PUT of snapshots in a subscription and region. */
  snapshotPutsPer3Minutes: z.int().min(1).default(240),
  snapshotPutsPer30Minutes: z.int().min(1).default(1920),
  /** Snapshots of one family that may have a SAS out at a time. */
  sasPerFamily: z.int().min(1).default(5),
  /** The longest SAS: 60 days since 2025-02-15 (MicrosoftDocs/azure-compute-docs, includes/disks-sas-change.md). */
  maxAccessSeconds: z.int().min(1).default(5_184_000),
  /** What a beginGetAccess on a resource that has a SAS out does. Azure's own answer is not documented. */
  secondGrant: z.enum(['same', 'new', 'refuse']).default('same'),
  /** What a diff of two exports as VHDX does: whether Azure has one is not documented. It counts for later SAS. */
  vhdxDiff: z.enum(['refuse', 'answer']).default('refuse'),
  /** What DELETE of a snapshot that has a SAS out does. Azure's own answer is not documented. */
  deleteWithAccess: z.enum(['refuse', 'revoke']).default('refuse'),
})

export type ComputeSettings = z.infer<typeof computeSettingsSchema>
export type ComputeSettingsChange = Partial<ComputeSettings>

/** The defaults with `change` over them. @throws ZodError for a setting that does not exist or a value out of range. */
export function computeSettings(change: ComputeSettingsChange = {}): ComputeSettings {
  return computeSettingsSchema.parse(change)
}
