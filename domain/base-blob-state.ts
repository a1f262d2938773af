/**
 * What snapferry writes into the metadata of a base blob: whose it is, and what it equals.
 *
 * `clean`: the base blob equals the cursor byte for byte. `dirty`: a run is, or was, bringing it from `cursor` to
 * `pending`; until it is sealed only its recovery points can be trusted. The epoch itself is the blob's sequence number.
 */
import { z } from 'zod'
import { BackupError } from './failures.ts'

export const BASE_BLOB_FORMAT = 1

const cursorRef = z.object({
  snapshotId: z.string(),
  snapshotUniqueId: z.string(),
  familyId: z.string().exactOptional(),
  /** Size of the disk (without footer) when it was taken. */
  sizeBytes: z.number().int().nonnegative(),
})

const sealedPoint = z.object({
  pointId: z.string(),
  /** The blob snapshot: the value of `x-ms-snapshot`. */
  blobSnapshot: z.string(),
})

const baseBlobState = z.object({
  diskId: z.string(),
  diskUniqueId: z.string(),
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

const FORMAT_KEY = 'snapferryformat'
const STATE_KEY = 'snapferrystate'
const DISK_KEY = 'snapferrydisk'
const CONDITION_KEY = 'snapferrycondition'

/** Metadata travels in headers: ASCII only, so anything else is escaped. */
export function encodeBaseBlobState(state: BaseBlobState): Record<string, string> {
  return {
    [FORMAT_KEY]: String(BASE_BLOB_FORMAT),
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

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
