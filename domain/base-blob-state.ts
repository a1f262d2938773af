/**
 * What snapferry writes into the metadata of a base blob: whose it is, and what it equals.
 *
 * `clean`: the base blob equals the cursor byte for byte. `dirty`: a run is, or was, bringing it from `cursor` to
 * `pending`; until it is sealed only its recovery points can be trusted. The epoch itself is the blob's sequence number.
 */
import { z } from 'zod'
import { BackupError } from './failures.ts'
import type { SourceDisk } from './source-disk.ts'
import { ONE_STRIPE, type Striping } from './stripes.ts'

/** The newest that is read. */
export const BASE_BLOB_FORMAT = 2

const cursorRef = z.object({
  snapshotId: z.string(),
  snapshotUniqueId: z.string(),
  familyId: z.string().exactOptional(),
  /** Size of the disk (without footer) when it was taken. */
  sizeBytes: z.number().int().nonnegative(),
})

const sealedPoint = z.object({
  pointId: z.string(),
  /** The blob snapshot: the value of `x-ms-snapshot`. Of the first stripe, where there are several. */
  blobSnapshot: z.string(),
  /** Of the other stripes. */
  otherSnapshots: z.array(z.string()).readonly().exactOptional(),
})

const baseBlobState = z.object({
  diskId: z.string(),
  diskUniqueId: z.string(),
  /** Absent: one stripe. What earlier releases cannot read is written as format 2. */
  striping: z.object({ count: z.number().int().min(2), unitBytes: z.number().int().positive() }).exactOptional(),
  condition: z.enum(['clean', 'dirty']),
  /** Key of the run that last opened the base blob: the id of the point that it made or would have made. */
  runKey: z.string(),
  cursor: cursorRef.exactOptional(),
  /** Only while dirty. */
  pending: cursorRef.exactOptional(),
  /** The newest sealed point. */
  lastPoint: sealedPoint.exactOptional(),
})

/** The source snapshot that a base blob equals, or is being brought to. */
export type CursorRef = Readonly<z.infer<typeof cursorRef>>
export type SealedPoint = Readonly<z.infer<typeof sealedPoint>>
export type BaseBlobState = Readonly<z.infer<typeof baseBlobState>>

export function stripingOfState({ striping }: BaseBlobState): Striping {
  return striping ?? ONE_STRIPE
}

export function snapshotsOfPoint({ blobSnapshot, otherSnapshots = [] }: SealedPoint): readonly string[] {
  return [blobSnapshot, ...otherSnapshots]
}

/** @param snapshots one a stripe, in their order. */
export function sealedPointOf(pointId: string, [blobSnapshot = '', ...otherSnapshots]: readonly string[]): SealedPoint {
  return { pointId, blobSnapshot, ...(otherSnapshots.length > 0 && { otherSnapshots }) }
}

const FORMAT_KEY = 'snapferryformat'
const STATE_KEY = 'snapferrystate'
const DISK_KEY = 'snapferrydisk'
const CONDITION_KEY = 'snapferrycondition'

/** Metadata travels in headers: ASCII only, so anything else is escaped. */
export function encodeBaseBlobState(state: BaseBlobState): Record<string, string> {
  return {
    [FORMAT_KEY]: state.striping === undefined ? '1' : '2',
    [DISK_KEY]: asciiJson(state.diskId).slice(1, -1),
    [CONDITION_KEY]: state.condition,
    [STATE_KEY]: asciiJson(state),
  }
}

/**
 * @returns undefined where the metadata is not snapferry's.
 * @throws BackupError FormatNotSupported | BaseBlobForeign where it is, but cannot be read.
 */
export function decodeBaseBlobState(blobName: string, metadata: Readonly<Record<string, string>>): BaseBlobState | undefined {
  const lowered = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value]))
  const format = lowered[FORMAT_KEY]
  if (format === undefined) return undefined
  if (!(Number(format) <= BASE_BLOB_FORMAT)) {
    throw new BackupError({
      type: 'FormatNotSupported',
      message: `base blob ${blobName} has format ${format}, this release reads up to ${BASE_BLOB_FORMAT}; upgrade snapferry`,
      facts: { blobName, format },
    })
  }
  try {
    return baseBlobState.parse(JSON.parse(lowered[STATE_KEY] ?? ''))
  } catch (cause) {
    throw new BackupError({
      type: 'BaseBlobForeign',
      message: `the metadata of base blob ${blobName} is damaged; its recovery points can still be restored, move it aside to start a new chain`,
      facts: { blobName },
      cause,
    })
  }
}

const STRIPE_KEY = 'snapferrystripe'

/** Metadata of the other stripes: whose they are. The state is the first one's. */
export function stripeMetadata({ id, uniqueId }: Pick<SourceDisk, 'id' | 'uniqueId'>): Record<string, string> {
  return { [FORMAT_KEY]: '2', [DISK_KEY]: asciiJson(id).slice(1, -1), [STRIPE_KEY]: asciiJson(uniqueId) }
}

export function isStripeOf(disk: Pick<SourceDisk, 'id' | 'uniqueId'>, metadata: Readonly<Record<string, string>>): boolean {
  const found = Object.entries(metadata).find(([key]) => key.toLowerCase() === STRIPE_KEY)
  return found?.[1] === stripeMetadata(disk)[STRIPE_KEY]
}

export function isStripeMetadata(metadata: Readonly<Record<string, string>>): boolean {
  return Object.keys(metadata).some((key) => key.toLowerCase() === STRIPE_KEY)
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
